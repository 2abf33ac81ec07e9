"""An estimate before anything runs, from the corpora alone."""

from __future__ import annotations

from collections.abc import Sequence

from harness.engines.local import groups
from harness.estimate.estimate import Estimate, estimate
from harness.ground import prepare_ground
from harness.progress import Reporter
from harness.suite.schema import FramesChoice, Trial


def foresee(
    trials: Sequence[Trial], reporter: Reporter, device: str, frames: FramesChoice
) -> list[Estimate]:
    """What trials would take on this machine; no backbone needs to be here.

    Raises:
        UserError: a corpus is missing or unfit.
    """
    grounds = {
        trial.corpus: prepare_ground(trial.corpus, trial.limit_utterances, reporter)
        for trial in {trial.corpus: trial for trial in trials}.values()
    }
    return estimate([(grounds[g[0].corpus], g) for g in groups(trials)], device, frames)
