"""A tracker's own process: takes one message after the other and tells them to the tracker."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from harness.redaction import redacted
from harness.results.records import CostRecord, Record
from harness.runs.tracking import run_content


@dataclass(frozen=True)
class TrialRecorded:
    """A trial has its record."""

    record: Record


@dataclass(frozen=True)
class CostKnown:
    """What a trial that ended costs."""

    record: Record
    cost: CostRecord


@dataclass(frozen=True)
class ReportWritten:
    """The report of a run is in this folder."""

    folder: Path


Message = TrialRecorded | CostKnown | ReportWritten


@dataclass(frozen=True)
class TrackerTarget:
    """Which tracker, and for what."""

    tracker: str
    suite: str
    folder: Path
    offline: bool


def serve(run: Connection, place: TrackerTarget) -> None:
    """Tell messages to a tracker until None comes; answer each with None, or what went wrong.

    Its own standard output goes nowhere: what trackers print may hold what no log should.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the run that it belongs to ends it
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # it has no business on a GPU that is measured
    os.environ["ACCELERATE_USE_CPU"] = "true"
    if place.offline:
        os.environ["WANDB_MODE"] = "offline"
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    ledger = place.folder / f"{place.tracker}.told"
    told = set(ledger.read_text(encoding="utf-8").splitlines()) if ledger.is_file() else set()
    while (message := run.recv()) is not None:
        try:
            if (name := name_of(message)) not in told:
                tell(place, message)
                _note(ledger, name)
        except BaseException as error:  # some trackers leave by SystemExit
            run.send(redacted(f"{type(error).__name__}: {error}").splitlines()[0])
            return
        run.send(None)


def name_of(message: Message) -> str | None:
    """What a message is known by when it is told again by a later run; None if it always is new."""
    match message:
        case TrialRecorded(record):
            return run_content.run_id(record)
        case CostKnown(record, cost):
            rounds = f"{cost.rounds} rounds from {cost.started_at}"
            return f"{run_content.run_id(record)} costs {cost.cost_id}, {rounds}"
        case ReportWritten():
            return None


def _note(ledger: Path, name: str | None) -> None:
    """A tracker knows this now."""
    if name:
        ledger.parent.mkdir(parents=True, exist_ok=True)
        with ledger.open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")


def tell(place: TrackerTarget, message: Message) -> None:
    """Open the run that a message is about, say what it says, and close it again."""
    from accelerate import PartialState

    from harness.runs.tracking.tracker_backends import ATTACH, OPEN, REPLACING

    PartialState(cpu=True)
    if isinstance(message, ReportWritten):
        run_id, name = f"{place.suite}-report", "report"
    else:
        run_id, name = run_content.run_id(message.record), run_content.run_name(message.record)
    tracker = OPEN[place.tracker](place.folder, place.suite, run_id, name)
    tracker.start()
    try:
        match message:
            case TrialRecorded(record):
                _tell_trial(tracker, record)
            case CostKnown(record, cost):
                if place.tracker in REPLACING:
                    _tell_trial(tracker, record)
                tracker.log(run_content.expense(cost), step=_end_of(record))
            case ReportWritten(folder):
                ATTACH[place.tracker](tracker, folder)
    finally:
        tracker.finish()


def _tell_trial(tracker: Any, record: Record) -> None:
    tracker.store_init_configuration(run_content.settings(record))
    for epoch, scores in run_content.curve(record):
        tracker.log(scores, step=epoch)
    tracker.log(run_content.outcome(record), step=_end_of(record))


def _end_of(record: Record) -> int:
    """The step at which what is known at the end stands."""
    return len(record.fit.curve) if record.fit else 0
