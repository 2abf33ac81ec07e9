"""Who runs units of work, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.data.prepared_corpus import PreparedCorpus
from harness.runs.events import Event
from harness.runs.session import Session
from harness.runs.work_units import WorkUnit
from harness.specs import CorpusSpec
from harness.training.devices import release_memory


class Executor(Protocol):
    """Runs units of work wherever it likes."""

    def run(self, units: Sequence[WorkUnit]) -> Iterator[Event]:
        """The events of all units, as they happen."""


@dataclass(frozen=True)
class InlineExecutor:
    """Runs one unit after the other in this process, on corpora that are read already."""

    corpora: Mapping[CorpusSpec, PreparedCorpus]

    def run(self, units: Sequence[WorkUnit]) -> Iterator[Event]:
        """The events of all units, as they happen."""
        for unit in units:
            yield from Session(unit, self.corpora[unit.corpus]).run()
            release_memory()  # of its network and frames, before the next ones are loaded
