"""From trials to groups: means, and how far folds, seeds and speakers spread them.

A group holds the trials that differ in fold and seed alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.tasks.metrics import classes_of, predicted_classes

INTERVAL_METRICS = ("accuracy", "uar", "macro_f1")

Confusions = NDArray[np.float64]
"""Confusion matrices. Shape: (..., C, C), rows are true classes."""


@dataclass(frozen=True)
class Spread:
    """A group's mean and its spreads; None where a spread needs more trials than there are."""

    mean: float
    folds: float | None
    """Standard deviation over folds of the means over seeds."""
    seeds: float | None
    """Standard deviation over seeds of the means over the folds that every seed has."""


def spread(scores: pd.DataFrame, metric: str) -> Spread:
    """Mean and spreads of one group.

    The mean is over folds, each fold counting the same however many seeds it has. Standard
    deviations are those of a sample (divided by n - 1).

    Args:
        scores: one row a trial, with columns `fold`, `seed` and the metric
        metric: the column

    >>> trials = pd.DataFrame(
    ...     {"fold": [1, 1, 2, 2], "seed": [1, 2, 1, 2], "uar": [0.4, 0.6, 0.6, 0.8]}
    ... )
    >>> spread(trials, "uar").mean
    0.6
    """
    table = scores.pivot_table(index="fold", columns="seed", values=metric)
    by_fold = table.mean(axis=1)
    by_seed = table.dropna().mean(axis=0)
    return Spread(float(by_fold.mean()), _deviation(by_fold), _deviation(by_seed.dropna()))


def _deviation(values: pd.Series[float]) -> float | None:
    return float(values.std(ddof=1)) if len(values) > 1 else None


@dataclass(frozen=True)
class Interval:
    """A range that holds the score with some confidence."""

    low: float
    high: float


def intervals(
    seeds: Sequence[Sequence[pd.DataFrame]],
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Interval] | None:
    """How far a group's mean scores would move with other speakers: a cluster bootstrap.

    Speakers are drawn with replacement, each with all of their utterances; an utterance whose
    speaker is not known stands for itself. Every draw scores each fold on its drawn speakers
    and takes the mean over folds, each weighing by the share of its speakers that was drawn,
    and over seeds: the same mean that is reported for the group. The interval lies between
    percentiles of the draws.
    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993; for clusters, Field and
    Welsh, "Bootstrapping clustered data", 2007.

    Args:
        seeds: for each seed the test predictions of each fold; columns `utterance_id`,
            `speaker`, `label` and `p_<class>` for every class
        confidence: share of the draws inside the interval
        resamples: how many draws
        seed: of the draws, so that the same records give the same table

    Returns:
        An interval for each of INTERVAL_METRICS, or None if there are fewer than two speakers.

    Raises:
        ValueError: the predictions do not have the same classes.
    """
    drawn = _drawn([seeds], resamples, seed)
    return _percentiles(drawn[0], confidence) if drawn else None


def differences(
    base: Sequence[Sequence[pd.DataFrame]],
    head: Sequence[Sequence[pd.DataFrame]],
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Interval] | None:
    """How far head's mean scores minus base's would move with other speakers.

    As `intervals`, with the same speakers drawn for both, so that what makes a speaker hard for
    both does not count.

    Args:
        base: predictions as `intervals` takes them
        head: those to compare with them, on the same utterances
        confidence: share of the draws inside the interval
        resamples: how many draws
        seed: of the draws

    Returns:
        An interval for each of INTERVAL_METRICS, or None if there are fewer than two speakers.

    Raises:
        ValueError: the predictions do not have the same classes.
    """
    drawn = _drawn([base, head], resamples, seed)
    if not drawn:
        return None
    before, after = drawn
    return _percentiles({m: after[m] - before[m] for m in INTERVAL_METRICS}, confidence)


def _drawn(
    groups: Sequence[Sequence[Sequence[pd.DataFrame]]], resamples: int, seed: int
) -> list[dict[str, Confusions]]:
    """Each group's mean scores in every draw of speakers, the same for all groups (R,)."""
    frames = [frame for seeds in groups for folds in seeds for frame in folds]
    classes = classes_of(frames[0])
    if any(classes_of(frame) != classes for frame in frames):
        raise ValueError("predictions of one group must have the same classes")
    clusters = sorted({name for frame in frames for name in _clusters(frame)})
    if len(clusters) < 2:
        return []
    generator = np.random.default_rng(seed)
    even = np.full(len(clusters), 1 / len(clusters))
    draws = generator.multinomial(len(clusters), even, size=resamples).astype(float)
    return [
        _mean_over_seeds([_mean_over_folds(folds, classes, clusters, draws) for folds in seeds])
        for seeds in groups
    ]


def _mean_over_seeds(scored: Sequence[dict[str, Confusions]]) -> dict[str, Confusions]:
    return {m: np.mean([scores[m] for scores in scored], axis=0) for m in INTERVAL_METRICS}


def _percentiles(drawn: dict[str, Confusions], confidence: float) -> dict[str, Interval]:
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    found: dict[str, Interval] = {}
    for metric, values in drawn.items():
        low, high = np.nanquantile(values, tails)
        found[metric] = Interval(float(low), float(high))
    return found


def scores_of_confusions(confusions: Confusions) -> dict[str, Confusions]:
    """INTERVAL_METRICS of many confusion matrices at once, as `tasks.metrics` defines them.

    Shape:
        confusions: (R, C, C)
        output: (R,) each
    """
    hits = np.diagonal(confusions, axis1=-2, axis2=-1)
    true, guessed = confusions.sum(-1), confusions.sum(-2)
    return {
        "accuracy": _ratio(hits.sum(-1), true.sum(-1)),
        "uar": _ratio(_ratio(hits, true).sum(-1), (true > 0).sum(-1)),
        "macro_f1": _ratio(_ratio(2 * hits, true + guessed).sum(-1), (true + guessed > 0).sum(-1)),
    }


def _mean_over_folds(
    folds: Sequence[pd.DataFrame],
    classes: Sequence[str],
    clusters: Sequence[str],
    draws: Confusions,
) -> dict[str, Confusions]:
    """Each draw's mean score over folds; not a number for a draw without any of their speakers."""
    confusions = [_by_cluster(frame, classes, clusters) for frame in folds]
    members = np.array([counts.any((1, 2)) for counts in confusions])
    weights = draws @ (members / members.sum(1, keepdims=True)).T
    size = len(classes)
    scored = [
        scores_of_confusions((draws @ counts.reshape(len(clusters), -1)).reshape(-1, size, size))
        for counts in confusions
    ]
    total = weights.sum(1)
    weights = np.divide(weights.T, total, out=np.full(weights.T.shape, np.nan), where=total > 0)
    return {
        metric: (weights * np.array([scores[metric] for scores in scored])).sum(0)
        for metric in INTERVAL_METRICS
    }


def _by_cluster(frame: pd.DataFrame, classes: Sequence[str], clusters: Sequence[str]) -> Confusions:
    """The confusion matrix of every cluster (K, C, C)."""
    number = {name: index for index, name in enumerate(classes)}
    place = {name: index for index, name in enumerate(clusters)}
    counts = np.zeros((len(clusters), len(classes), len(classes)))
    where = (
        [place[name] for name in _clusters(frame)],
        [number[name] for name in frame["label"]],
        [number[name] for name in predicted_classes(frame)],
    )
    np.add.at(counts, where, 1)
    return counts


def _clusters(frame: pd.DataFrame) -> list[str]:
    # the prefixes keep a speaker and an utterance of the same name apart
    return [
        f"utterance {utterance}" if pd.isna(speaker) else f"speaker {speaker}"
        for utterance, speaker in zip(frame["utterance_id"], frame["speaker"], strict=True)
    ]


def _ratio(above: Confusions, below: Confusions) -> Confusions:
    return np.divide(above, below, out=np.zeros(np.shape(above)), where=below > 0)
