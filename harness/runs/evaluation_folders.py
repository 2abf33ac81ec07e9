"""The outcomes of kept models that were scored again: where they lie, and which still hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import pandas as pd

from harness.files import file_digest
from harness.results.records import Record
from harness.results.seen_statements import SeenStatements
from harness.results.store import MODEL, ResultsStore


@dataclass(frozen=True)
class EvaluationFolders:
    """Where the kept models of some results are scored: on their own splits, or on a corpus."""

    store: ResultsStore
    """With the kept models."""
    corpus: str | None
    """The name of another corpus; None for the splits of each trial."""
    content: str | None
    """Of another corpus, the digest of its utterances as they are now."""

    @property
    def folders(self) -> tuple[ResultsStore, ...]:
        """The one of a choice among the outputs that a corpus has, and that among all."""
        own = self.store.evaluation(self.corpus)
        others = (self.store.evaluation(self.corpus, all_outputs=True),) if self.corpus else ()
        return own, *others

    def write_seen(self, said: SeenStatements) -> None:
        """Note in each what is said of corpora and backbones, which decides marks of theirs."""
        for folder in self.folders:
            if folder.folder.exists():
                with self.store.writing():
                    folder.write_seen(said)

    def write(self, outcomes: Iterable[tuple[Record, pd.DataFrame]]) -> None:
        """Save those of one model, in the order of the folders."""
        for folder, (outcome, predictions) in zip(self.folders, outcomes, strict=False):
            with self.store.writing():
                folder.write_trial(outcome, predictions)

    def with_outcomes(self, refused: Collection[str]) -> tuple[ResultsStore, ...]:
        """Set aside what no longer holds, and give back the folders in which something is left.

        Args:
            refused: trials whose models have no scores now
        """
        for folder in self.folders:
            for outcome in folder.read_trials():
                if outcome.trial_id in refused or not self._holds(outcome):
                    folder.supersede(folder.trial(outcome.trial_id))
        return tuple(folder for folder in self.folders if folder.read_trials())

    def _holds(self, outcome: Record) -> bool:
        """Whether it is of the model that lies there, and of what the corpus holds now."""
        model = self.store.trial(outcome.trial_id) / MODEL
        if not model.exists() or outcome.scored is None or outcome.digests is None:
            return False
        if file_digest(model) != outcome.scored.model:
            return False
        if self.corpus is not None:
            return outcome.digests.split == self.content
        trained = self.store.find_trial(outcome.trial_id)
        return trained is not None and trained.digests == outcome.digests
