"""What a worker process does with the units of work that it is sent."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

import torch
from threadpoolctl import threadpool_limits

from harness.data.prepared_corpus import PreparedCorpus
from harness.errors import DiskSpaceError
from harness.interruption import Interrupted, StopRequest, stopping_on
from harness.runs.events import Event, FitAdvanced
from harness.runs.session import Session
from harness.runs.work_units import WorkUnit
from harness.specs import Trial
from harness.training.devices import release_memory
from harness.training.fit_driver import StepEnded


@dataclass(frozen=True)
class OpenUnit:
    """Load its backbone and have its frames ready."""

    unit: WorkUnit
    prepared: PreparedCorpus


@dataclass(frozen=True)
class RunTrials:
    """Run some of its trials."""

    batch: tuple[Trial, ...]


@dataclass(frozen=True)
class CloseUnit:
    """Give back what it took."""


Order = OpenUnit | RunTrials | CloseUnit


@dataclass(frozen=True)
class Done:
    """An order is carried out."""


@dataclass(frozen=True)
class Refused:
    """It cannot be, and that is for the user to mend."""

    error: str


Answer = Event | Done | Refused


def serve(connection: Connection, threads: int | None) -> None:
    """Carry out orders until nobody sends any more; asked by SIGTERM, save and end.

    Args:
        connection: brings orders, takes what happens
        threads: of arithmetic; None leaves them as they are
    """
    use_threads(threads)
    with stopping_on([signal.SIGTERM], patient=True) as stop, suppress(EOFError, Interrupted):
        _serve(connection, stop)
    if stop.asked:
        signal.raise_signal(signal.SIGTERM)  # so that whoever sees it end sees by what


def use_threads(threads: int | None) -> None:
    """Use so many threads for arithmetic; None leaves them as they are."""
    if threads is not None:
        torch.set_num_threads(threads)
        threadpool_limits(threads)


def _serve(connection: Connection, stop: StopRequest) -> None:
    session = None
    while True:
        order = connection.recv()
        stop.check()
        try:
            match order:
                case OpenUnit(unit, prepared):
                    session = Session(unit, prepared, stop)
                    _send_all(connection, session.open())
                case RunTrials(batch) if session is not None:
                    _send_all(connection, session.fit(batch))
                case CloseUnit() if session is not None:
                    connection.send(session.end())
                    session = None
                    release_memory()  # before the next backbone is loaded
        except DiskSpaceError as error:
            connection.send(Refused(str(error)))
        connection.send(Done())


def _send_all(connection: Connection, events: Iterable[Event]) -> None:
    for event in thinned(events):
        connection.send(event)


def thinned(events: Iterable[Event], interval_s: float = 0.1) -> Iterator[Event]:
    """Events as they happen; steps, of which there may be thousands in a second, some at a time."""
    waiting: FitAdvanced | None = None
    sent = time.monotonic()
    for event in events:
        is_step = isinstance(event, FitAdvanced) and isinstance(event.progress, StepEnded)
        if isinstance(event, FitAdvanced) and is_step:
            waiting = FitAdvanced(event.progress, event.steps + (waiting.steps if waiting else 0))
            if time.monotonic() - sent < interval_s:
                continue
        if waiting is not None:
            yield waiting
            waiting, sent = None, time.monotonic()
        if not is_step:
            yield event
    if waiting is not None:
        yield waiting
