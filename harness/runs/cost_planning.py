"""Which costs a suite needs measured. No torch here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.config.matrix import expand, select
from harness.specs import CorpusSpec, CostTrial, Suite, Trial

_ANY_CORPUS = CorpusSpec(name="synthetic")


def cost_trials(
    suite: Suite, trials: Iterable[Trial], only: Sequence[str] = ()
) -> tuple[CostTrial, ...]:
    """One measurement for all trials that cost the same, in the order of the trials.

    Of a suite without corpora, all that its matrix holds and `only` selects.
    """
    if suite.cost is None:
        return ()
    if not suite.corpora:
        # what a trial costs does not depend on its data
        whole = expand(suite.model_copy(update={"corpora": (_ANY_CORPUS,)}), lambda _: (1,))
        trials = select(whole, only)
    return tuple(dict.fromkeys(CostTrial.of(trial, suite.cost) for trial in trials))
