"""The squared error of a score or of a difference: of its speakers, and of training anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import stdtrit

from harness.results.inference.delete_one import DeleteOne, FoldScores
from harness.tasks.task import Floats


@dataclass(frozen=True)
class SquaredError:
    """A squared standard error, and on how many degrees of freedom it rests."""

    value: float
    degrees: float

    def scaled(self, slope: float) -> SquaredError:
        """Of a figure that moves by `slope` where this one moves by 1."""
        return SquaredError(self.value * slope**2, self.degrees)


def of_speakers(without: Floats, degrees: float) -> SquaredError:
    """The delete-one jackknife: (K - 1) / K · Σ (θ_(-k) - their mean)².

    Tukey, "Bias and confidence in not-quite large samples", 1958; Efron and Tibshirani, "An
    Introduction to the Bootstrap", 1993, chapter 11.

    Args:
        without: the figure without each of K speakers, (K,), K of 2 or more
        degrees: of freedom, as `DeleteOne.degrees` says: few large speakers make most of it
    """
    return SquaredError(_jackknife(without), degrees)


def _jackknife(without: Floats) -> float:
    return float((len(without) - 1) * np.var(without))


def of_training(score: DeleteOne, *, sparing: bool) -> SquaredError | None:
    """What training again with other seeds adds to a mean over seeds, then over folds.

    The variance between the seeds of a fold, pooled over folds, times Σ 1/S_f / F², which is
    1/(S · F) where every fold has S seeds; less the share of a fold's deviation that the speakers
    of unlike folds show already (all of it where each fold tests one speaker, nothing in one fold).

    Args:
        score: of some trials
        sparing: take off too what the speakers' own answers make from seed to seed, the jackknife
            of the seeds' deviations from their mean, since the error of speakers holds it. An
            interval then has its width; a test that must not find too much keeps it.

    Returns:
        None if no fold has two seeds: then nothing is known of it.
    """
    degrees = sum(seeds - 1 for seeds in score.seeds)
    if degrees == 0:
        return None
    between = sum(float(np.var(fold.whole)) * len(fold.whole) for fold in score.folds)
    answers = sum(map(_squares_of_answers, score.folds)) if sparing else 0.0
    pooled = max(0.0, between - answers) / degrees
    means = sum(1 / seeds for seeds in score.seeds) / len(score.seeds) ** 2
    return SquaredError(pooled * means * (1 - _seen_between_speakers(score)), degrees)


def _squares_of_answers(fold: FoldScores) -> float:
    """The jackknife's variance of each seed's deviation from the mean over seeds, summed."""
    if fold.without.shape[1] < 2:
        return 0.0
    deviations = fold.without - fold.without.mean(0)
    return sum(map(_jackknife, deviations))


def _seen_between_speakers(score: DeleteOne) -> float:
    tested = np.array([fold.without.shape[1] for fold in score.folds])
    if tested.sum() != score.speakers:  # a speaker in several folds sees all of them
        return 0.0
    shares = tested / tested.sum()
    return float(len(tested) * (1 - (shares**2).sum()) / (score.speakers - 1))


def reach(errors: Sequence[SquaredError], confidence: float) -> float:
    """How far an interval reaches to either side: Σ v·t / √Σv, t being Student's of each part.

    Of one part it is Student's own interval. Satterthwaite's degrees make it too narrow where a
    part of one degree rules, as with two seeds of one fold: 88 % where 95 were asked for.
    Cochran, "Approximate significance levels of the Behrens-Fisher test", 1964.

    >>> round(reach([SquaredError(1.0, 3)], 0.95), 3)
    3.182
    """
    whole = sum(error.value for error in errors)
    if whole == 0:
        return 0.0
    tail = (1 + confidence) / 2
    weighed = sum(
        error.value * float(stdtrit(error.degrees, tail)) for error in errors if error.value
    )
    return float(weighed / whole**0.5)


def chance(distance: float, errors: Sequence[SquaredError]) -> float:
    """The two-sided p of a distance from nothing: where the interval's end would touch it.

    >>> round(chance(3.182, [SquaredError(1.0, 3)]), 3)
    0.05
    """
    if distance == 0:
        return 1.0
    if reach(errors, _SUREST) <= abs(distance):
        return 1 - _SUREST
    return float(brentq(lambda p: reach(errors, 1 - p) - abs(distance), 1 - _SUREST, 1.0))


_SUREST = 1 - 1e-12
