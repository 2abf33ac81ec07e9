"""Who runs units of work, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from harness.data.prepared_corpus import PreparedCorpus
from harness.interruption import NEVER, StopRequest
from harness.runs.events import Event
from harness.runs.jobs import on_one_device
from harness.runs.session import Session
from harness.runs.work_units import WorkUnit
from harness.specs import CorpusSpec
from harness.training.devices import release_memory

Corpora = Mapping[CorpusSpec, PreparedCorpus]
"""Those that were read."""

Told = tuple[int, Event]
"""Which worker tells it, from 0, and what happened."""


class Executor(Protocol):
    """Runs units of work wherever it likes."""

    def run(self, units: Sequence[WorkUnit]) -> Iterator[Told]:
        """The events of all units, as they happen.

        Raises:
            UserError: something is in the way that only the user can mend.
            Interrupted: it was asked to stop, and what was at work has saved what it had.
        """


MakeExecutor = Callable[[Corpora, StopRequest], Executor]


@dataclass(frozen=True)
class InlineExecutor:
    """Runs one unit after the other in this process, which is good for a debugger."""

    corpora: Corpora
    stop: StopRequest = NEVER

    def run(self, units: Sequence[WorkUnit]) -> Iterator[Told]:
        """The events of all units, as they happen."""
        for unit in units:
            here = replace(unit, options=on_one_device(unit.options))
            for event in Session(here, self.corpora[unit.corpus], self.stop).run():
                yield 0, event
            release_memory()  # of its network and frames, before the next ones are loaded
