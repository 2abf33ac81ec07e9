"""What nodes of a cluster do: units of work, and measurements of costs, as streams of events."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
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


def run_part(
    unit: WorkUnit, prepared: PreparedCorpus, threads: int, part: int, workers: int
) -> Iterator[Event]:
    """Do a part of a unit's trials; if cancelled, it saves what it has first.

    Args:
        unit: all of them; their frames are made ready, if they are not
        prepared: its corpus
        threads: of arithmetic
        part: which, from 1
        workers: in how many parts it is cut, if there are so many batches
    """
    use_threads(threads)
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
    threads: int,
) -> Iterator[Event]:
    """Measure costs on a node, on which nothing else of the run is at work."""
    use_threads(threads)
    yield from measure_costs(suite, costs, options, known)
