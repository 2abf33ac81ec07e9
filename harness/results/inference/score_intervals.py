"""Where a row's score would lie with other speakers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from statsmodels.stats.proportion import proportion_confint

from harness.results.inference.delete_one import DeleteOne
from harness.results.inference.squared_errors import of_speakers, of_training, reach


@dataclass(frozen=True)
class Interval:
    """A range that holds the score with some confidence."""

    low: float
    high: float


def score_interval(score: DeleteOne, *, share: bool, confidence: float = 0.95) -> Interval:
    """Student's t around a score, with the jackknife's error over speakers.

    A share is taken on the logit scale, so that no end leaves [0, 1] and the longer side is the one
    with more room; scores of 0 and 1 stand half an utterance from the end there. From two seeds on
    the noise of training joins the squared error. Where nothing differs at all, the interval of a
    share is Wilson's for so many utterances: "Probable inference, the law of succession, and
    statistical inference", 1927.

    Args:
        score: with and without each speaker
        share: whether it lies in [0, 1]
        confidence: how sure
    """
    edge = 0.5 / score.utterances if share else 0.0
    whole = float(np.clip(score.whole, edge, 1 - edge)) if share else score.whole
    scaled = logit(np.clip(score.without, edge, 1 - edge)) if share else score.without
    errors = [of_speakers(scaled, score.degrees)]
    if (training := of_training(score, sparing=True)) is not None:
        errors.append(training.scaled(1 / (whole * (1 - whole)) if share else 1.0))
    room = reach(errors, confidence)
    if not share:
        return Interval(whole - room, whole + room)
    if room < _NOTHING:
        return _unvarying(score, confidence)
    low, high = expit(logit(whole) + np.array([-room, room]))
    return Interval(min(float(low), score.whole), max(float(high), score.whole))


_NOTHING = 1e-9
"""On the logit scale, what rounding alone makes."""


def _unvarying(score: DeleteOne, confidence: float) -> Interval:
    count = score.utterances
    right = float(np.clip(score.whole * count, 0, count))
    low, high = proportion_confint(right, count, 1 - confidence, method="wilson")
    return Interval(min(float(low), score.whole), max(float(high), score.whole))
