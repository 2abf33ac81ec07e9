"""From trials to groups: means, and how far folds, seeds and speakers spread them.

A group holds the trials that differ in fold and seed alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.tasks.task import Floats, SufficientStatistics, TaskCard


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
    folds: Sequence[Sequence[pd.DataFrame]],
    task: TaskCard,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Interval] | None:
    """How far a group's mean scores would move with other speakers: a cluster bootstrap.

    Speakers are drawn with replacement, each with all of their utterances; an utterance whose
    speaker is not known stands for itself. Every draw scores each trial on its drawn speakers,
    averages the seeds of a fold and then the folds, each weighing by the share of its speakers
    that was drawn: the same mean that is reported for the group, whatever seeds a fold has. The
    interval lies between percentiles of the draws.
    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993; for clusters, Field and
    Welsh, "Bootstrapping clustered data", 2007.

    Args:
        folds: for each fold the test predictions of each seed; columns `utterance_id`,
            `speaker` and those of the task
        task: what they predict
        confidence: share of the draws inside the interval
        resamples: how many draws
        seed: of the draws, so that the same records give the same table

    Returns:
        An interval for each metric that has one; None if there are fewer than two speakers, or
        the task has no intervals.

    Raises:
        ValueError: the predictions do not have the same columns.
    """
    drawn = _drawn([folds], task, resamples, seed)
    return _percentiles(drawn[0], confidence) if drawn else None


def differences(
    base: Sequence[Sequence[pd.DataFrame]],
    head: Sequence[Sequence[pd.DataFrame]],
    task: TaskCard,
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
        task: what they predict
        confidence: share of the draws inside the interval
        resamples: how many draws
        seed: of the draws

    Returns:
        An interval for each metric that has one; None if there are fewer than two speakers, or
        the task has no intervals.

    Raises:
        ValueError: the predictions do not have the same columns.
    """
    drawn = _drawn([base, head], task, resamples, seed)
    if not drawn:
        return None
    before, after = drawn
    return _percentiles({m: after[m] - before[m] for m in before}, confidence)


def _drawn(
    groups: Sequence[Sequence[Sequence[pd.DataFrame]]], task: TaskCard, resamples: int, seed: int
) -> list[dict[str, Floats]]:
    """Each group's mean scores in every draw of speakers, the same for all groups (R,)."""
    frames = [frame for folds in groups for seeds in folds for frame in seeds]
    if any(list(frame.columns) != list(frames[0].columns) for frame in frames):
        raise ValueError("predictions of one group must have the same columns")
    statistics = task.load().sufficient_statistics
    clusters = sorted({name for frame in frames for name in _clusters(frame)})
    if statistics is None or len(clusters) < 2:
        return []
    generator = np.random.default_rng(seed)
    even = np.full(len(clusters), 1 / len(clusters))
    draws = generator.multinomial(len(clusters), even, size=resamples).astype(float)
    return [_mean_over_folds(folds, statistics, clusters, draws) for folds in groups]


def _percentiles(drawn: dict[str, Floats], confidence: float) -> dict[str, Interval]:
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    found: dict[str, Interval] = {}
    for metric, values in drawn.items():
        low, high = np.nanquantile(values, tails)
        found[metric] = Interval(float(low), float(high))
    return found


def _mean_over_folds(
    folds: Sequence[Sequence[pd.DataFrame]],
    statistics: SufficientStatistics,
    clusters: Sequence[str],
    draws: Floats,
) -> dict[str, Floats]:
    """Each draw's mean score over folds; not a number for a draw without any of their speakers."""
    members = np.array([np.isin(clusters, _clusters(pd.concat(seeds))) for seeds in folds])
    weights = draws @ (members / members.sum(1, keepdims=True)).T
    scored = [_mean_over_seeds(seeds, statistics, clusters, draws) for seeds in folds]
    total = weights.sum(1)
    weights = np.divide(weights.T, total, out=np.full(weights.T.shape, np.nan), where=total > 0)
    return {
        metric: (weights * np.array([scores[metric] for scores in scored])).sum(0)
        for metric in scored[0]
    }


def _mean_over_seeds(
    seeds: Sequence[pd.DataFrame],
    statistics: SufficientStatistics,
    clusters: Sequence[str],
    draws: Floats,
) -> dict[str, Floats]:
    """Each draw's mean score over the seeds of one fold."""
    scored = [
        statistics.scores(draws @ _sums(statistics.of_utterances(frame), frame, clusters))
        for frame in seeds
    ]
    return {m: np.mean([scores[m] for scores in scored], axis=0) for m in scored[0]}


def _sums(values: Floats, frame: pd.DataFrame, clusters: Sequence[str]) -> Floats:
    """What the utterances of every cluster add up to: from (N, S) to (K, S)."""
    place = {name: index for index, name in enumerate(clusters)}
    sums = np.zeros((len(clusters), values.shape[1]))
    np.add.at(sums, [place[name] for name in _clusters(frame)], values)
    return sums


def _clusters(frame: pd.DataFrame) -> list[str]:
    # the prefixes keep a speaker and an utterance of the same name apart
    return [
        f"utterance {utterance}" if pd.isna(speaker) else f"speaker {speaker}"
        for utterance, speaker in zip(frame["utterance_id"], frame["speaker"], strict=True)
    ]
