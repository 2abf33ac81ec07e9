"""How sure the order of rows is: the scores of all, drawn together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.results.inference.delete_one import DeleteOne
from harness.results.inference.squared_errors import of_training
from harness.tasks.task import Floats

DRAWS = 20_000


@dataclass(frozen=True)
class Order:
    """What draws say of each of R rows."""

    best: Floats
    """The chance that a row is the best, (R,)."""
    low: Floats
    """The better end of its rank's 95 % interval, from 1, (R,)."""
    high: Floats
    optimism: float
    """By how much the score of the row that looks best is, on average, above its true one."""


def drawn_order(scores: Sequence[DeleteOne], *, higher_is_better: bool, seed: int = 0) -> Order:
    """The order of rows on the same test speakers.

    Scores are drawn from Student's t around those that were found: their errors over speakers
    together, with the jackknife's covariance, since what makes a speaker hard for one row makes
    them hard for others; the noise of training of each row apart.

    Args:
        scores: of R rows, tested on the same utterances
        higher_is_better: else the lowest is best
        seed: of the draws, so that the same records give the same table
    """
    generator = np.random.default_rng(seed)
    without = np.array([score.without for score in scores])
    deviations = without - without.mean(1, keepdims=True)
    speakers = without.shape[1]
    degrees = scores[0].degrees
    scale = ((speakers - 1) / speakers) ** 0.5 / np.sqrt(
        generator.chisquare(degrees, DRAWS) / degrees
    )
    noise = generator.standard_normal((DRAWS, speakers)) @ deviations.T * scale[:, None]
    for row, score in enumerate(scores):
        if training := of_training(score, sparing=True):
            noise[:, row] += training.value**0.5 * generator.standard_t(training.degrees, DRAWS)
    drawn = np.array([score.whole for score in scores]) + noise
    sign = 1 if higher_is_better else -1
    ranks = (-sign * drawn).argsort(1).argsort(1) + 1
    first = ranks.argmin(1)
    low, high = np.quantile(ranks, (0.025, 0.975), axis=0, method="inverted_cdf")
    return Order(
        best=np.bincount(first, minlength=len(scores)) / DRAWS,
        low=low,
        high=high,
        optimism=float(sign * noise[np.arange(DRAWS), first].mean()),
    )
