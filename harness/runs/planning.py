"""What a run is to do: the whole suite, and the part of it that was selected. No torch here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.config.matrix import expand, select
from harness.config.suite_shards import shard_of
from harness.data.corpus_reading import corpus_card, read_corpus
from harness.data.splits.folds import fold_numbers
from harness.errors import SuiteError
from harness.specs import (
    PROBES,
    CorpusSpec,
    CostTrial,
    ListedCorpus,
    Selection,
    Shard,
    Suite,
    Trial,
)

_ANY_CORPUS = ListedCorpus(name="synthetic")


@dataclass(frozen=True)
class Plan:
    """The trials of a whole suite, and which of them and of its costs are to be done now."""

    suite: Suite
    trials: tuple[Trial, ...]
    """Every trial of the suite, whatever was selected."""
    selection: Selection

    @cached_property
    def selected(self) -> tuple[Trial, ...]:
        """The trials to run now, in the order of the suite."""
        return shard_of(self._matching, self.selection.shard)

    @cached_property
    def costs(self) -> tuple[CostTrial, ...]:
        """The costs to measure now."""
        costs = cost_trials(self.suite, self._matching, self.selection.only)
        return shard_of(costs, self.selection.shard)

    @property
    def folder(self) -> Path:
        """Of its results, below the folder of all results: shards stay out of each other's way."""
        if self.selection.shard is None:
            return Path(self.suite.suite)
        return Path("shard-{number}-of-{of}".format(**dict(self.selection.shard)), self.suite.suite)

    @cached_property
    def _matching(self) -> tuple[Trial, ...]:
        """What the patterns select."""
        return select(self.trials, self.selection.only) if self.suite.corpora else ()

    def check(self) -> None:
        """Tell now what its parts would tell later.

        Raises:
            SuiteError: a pattern matches nothing, or there is less than one item for each shard.
        """
        _ = self.selected, self.costs
        shard, found = self.selection.shard, len(self._matching)
        if shard is not None and self.suite.corpora and found < shard.of:
            raise SuiteError(
                f"shard {shard}: of {found} trials, {found} shards can be made at most"
            )


def make_plan(
    suite: Suite,
    only: Sequence[str] = (),
    limit_utterances: int | None = None,
    shard: Shard | None = None,
) -> Plan:
    """Expand a suite to its trials; no audio is decoded, and nothing is loaded.

    Args:
        suite: what is wanted
        only: patterns of backbones or trial names (see `harness.config.matrix.select`); all when
            left out
        limit_utterances: run on part of each corpus, which marks every result
        shard: which part of that; all when left out

    Raises:
        SuiteError: the matrix is mistaken, no trial is left in it, a pattern matches nothing, or
            there are more shards than trials.
        CorpusError: a corpus whose folds depend on its recordings is missing.
    """

    def folds(spec: CorpusSpec) -> tuple[int, ...]:
        return fold_numbers(suite.protocol, spec, corpus_card(spec), lambda: read_corpus(spec))

    selection = Selection(only=tuple(only), limit_utterances=limit_utterances, shard=shard)
    plan = Plan(suite, expand(suite, folds, limit_utterances), selection)
    plan.check()
    return plan


def cost_trials(
    suite: Suite, trials: Iterable[Trial], only: Sequence[str] = ()
) -> tuple[CostTrial, ...]:
    """One measurement for all trials that cost the same, in the order of the trials; probes none.

    Of a suite without corpora, all that its matrix holds and `only` selects.
    """
    if suite.cost is None:
        return ()
    if not suite.corpora:
        # what a trial costs does not depend on its data
        whole = expand(suite.model_copy(update={"corpora": (_ANY_CORPUS,)}), lambda _: (1,))
        trials = select(whole, only)
    trained = [trial for trial in trials if trial.head.kind not in PROBES]
    # trials of a matrix share their parts, and so few are left to be compared by content
    unlike: dict[tuple[object, ...], Trial] = {}
    for trial in trained:
        parts = (id(trial.backbone), trial.finetune_layers, id(trial.head), id(trial.training))
        unlike.setdefault(parts, trial)
    costs = (CostTrial.of(trial, suite.cost) for trial in unlike.values())
    return tuple(dict.fromkeys(costs))
