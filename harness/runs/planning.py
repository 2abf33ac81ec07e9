"""What a run is to do: the whole suite, and the part of it that was selected. No torch here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.config.matrix import expand, select
from harness.data.corpus_reading import corpus_card, read_corpus
from harness.data.splits.folds import fold_numbers
from harness.specs import PROBES, CorpusSpec, CostTrial, Selection, Suite, Trial

_ANY_CORPUS = CorpusSpec(name="synthetic")


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
        return select(self.trials, self.selection.only) if self.suite.corpora else ()

    @cached_property
    def costs(self) -> tuple[CostTrial, ...]:
        """The costs to measure now."""
        return cost_trials(self.suite, self.selected, self.selection.only)


def make_plan(suite: Suite, only: Sequence[str] = (), limit_utterances: int | None = None) -> Plan:
    """Expand a suite to its trials; no audio is decoded, and nothing is loaded.

    Args:
        suite: what is wanted
        only: patterns of backbones or trial names (see `harness.config.matrix.select`); all when
            left out
        limit_utterances: run on part of each corpus, which marks every result

    Raises:
        SuiteError: the matrix is mistaken, no trial is left in it, or a pattern matches nothing.
        CorpusError: a corpus whose folds depend on its recordings is missing.
    """

    def folds(spec: CorpusSpec) -> tuple[int, ...]:
        return fold_numbers(suite.protocol, spec, corpus_card(spec), lambda: read_corpus(spec))

    selection = Selection(only=tuple(only), limit_utterances=limit_utterances)
    plan = Plan(suite, expand(suite, folds, limit_utterances), selection)
    _ = plan.selected, plan.costs  # so that a pattern which matches nothing is told now
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
    return tuple(dict.fromkeys(CostTrial.of(trial, suite.cost) for trial in trained))
