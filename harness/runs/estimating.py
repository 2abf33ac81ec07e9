"""An estimate before anything runs, from the corpora alone."""

from __future__ import annotations

from collections.abc import Sequence

from harness.data.prepared_corpus import prepare_corpus
from harness.profiling.estimation.suite_estimate import Estimate, estimate
from harness.progress import Reporter
from harness.runs.local import groups
from harness.specs import FramesChoice, Trial


def estimate_suite(
    trials: Sequence[Trial], reporter: Reporter, device: str, frames: FramesChoice
) -> list[Estimate]:
    """What trials would take on this machine; no backbone needs to be here.

    Raises:
        UserError: a corpus is missing or unfit.
    """
    prepared_corpora = {
        trial.corpus: prepare_corpus(trial.corpus, trial.limit_utterances, reporter)
        for trial in {trial.corpus: trial for trial in trials}.values()
    }
    return estimate([(prepared_corpora[g[0].corpus], g) for g in groups(trials)], device, frames)
