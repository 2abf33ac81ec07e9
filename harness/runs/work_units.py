"""Units of work: what can be done anywhere, knowing nothing of the rest of a run. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.runs.runtime_options import RuntimeOptions
from harness.specs import BackboneSpec, CorpusSpec, Trial


@dataclass(frozen=True)
class WorkUnit:
    """The trials on one corpus × backbone that are to be run. It can be pickled and sent."""

    suite: str
    trials: tuple[Trial, ...]
    options: RuntimeOptions
    results: Path | None = None
    """The folder with a folder a trial, where fits save their state; None saves nothing."""

    @property
    def corpus(self) -> CorpusSpec:
        """The corpus that all of them learn from."""
        return self.trials[0].corpus

    @property
    def backbone(self) -> BackboneSpec:
        """The backbone that all of them stand on."""
        return self.trials[0].backbone

    @property
    def limit_utterances(self) -> int | None:
        """Of the corpus, how many utterances they use; None for all."""
        return self.trials[0].limit_utterances


def work_units(
    suite: str, trials: Iterable[Trial], options: RuntimeOptions, results: Path | None = None
) -> tuple[WorkUnit, ...]:
    """One unit for each corpus × backbone, in the order in which they first come."""
    found: dict[tuple[CorpusSpec, BackboneSpec], list[Trial]] = {}
    for trial in trials:
        found.setdefault((trial.corpus, trial.backbone), []).append(trial)
    return tuple(WorkUnit(suite, tuple(alike), options, results) for alike in found.values())
