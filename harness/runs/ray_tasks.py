"""What nodes of a cluster do: units of work, and measurements of costs, as streams of events."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from harness.config.suite_shards import shard_of
from harness.data.prepared_corpus import PreparedCorpus
from harness.interruption import Interrupted, stopping_on
from harness.results.records import CostRecord
from harness.runs.cost_runs import measure_costs
from harness.runs.events import Event
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.session import Session
from harness.runs.unit_worker import thinned, use_threads
from harness.runs.work_units import WorkUnit
from harness.specs import CostTrial, Shard, Suite
from harness.training.devices import release_memory

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Here:
    """How a process of a node works for a run."""

    threads: int
    """Of arithmetic."""
    folder: Path = field(default_factory=Path.cwd)
    """In which the run was started, to which relative paths belong, if the node has it."""

    def settle(self) -> None:
        """Do as it says."""
        use_threads(self.threads)
        with suppress(OSError):
            os.chdir(self.folder)


def run_part(
    unit: WorkUnit, prepared: PreparedCorpus, here: Here, part: int, workers: int
) -> Iterator[Event]:
    """Do a part of a unit's trials; if cancelled, it saves what it has first.

    Args:
        unit: all of them; their frames are made ready, if they are not
        prepared: its corpus
        here: how to work
        part: which, from 1
        workers: in how many parts it is cut, if there are so many batches
    """
    here.settle()
    # Ray cancels a task by what Ctrl-C does, and takes no further event of it from then on
    with stopping_on([signal.SIGINT], patient=True) as stop, suppress(Interrupted):
        events = thinned(_events(Session(unit, prepared, stop), part, workers))
        try:
            # not `yield from`, by which a cancelled task would end them where they stand
            while (event := next(events, None)) is not None:
                yield event
        except GeneratorExit:
            while stop.asked:
                next(events)
            raise
    release_memory()  # a process may be given another backbone


def _events(session: Session, part: int, workers: int) -> Iterator[Event]:
    ready = yield from session.open()
    for batch in part_of(ready.batches, part, workers):
        yield from session.fit(batch)
    yield session.end()


def part_of(batches: Sequence[Batch], part: int, workers: int) -> tuple[Batch, ...]:
    """Batches of trials that belong to a part of a unit.

    >>> [part_of("abc", number, workers=2) for number in (1, 2)]
    [('a',), ('b', 'c')]
    """
    return shard_of(batches, Shard(number=part, of=min(workers, len(batches))))


def measure(
    suite: Suite,
    costs: Sequence[CostTrial],
    options: RuntimeOptions,
    known: Mapping[str, CostRecord],
    here: Here,
) -> Iterator[Event]:
    """Measure costs on a node, on which nothing else of the run is at work."""
    here.settle()
    yield from measure_costs(suite, costs, options, known)
