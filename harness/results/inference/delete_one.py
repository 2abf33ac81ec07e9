"""The scores of some trials, and what each would be without one of the test speakers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.tasks.task import Floats, SufficientStatistics, TaskCard

Folds = Sequence[Sequence[pd.DataFrame]]
"""For each fold the test predictions of each seed; columns `utterance_id`, `speaker` and those of
the task."""


@dataclass(frozen=True)
class FoldScores:
    """The scores of the seeds of one fold."""

    whole: Floats
    """With all speakers, (S,)."""
    without: Floats
    """Without each of the m speakers that the fold tests, (S, m)."""


@dataclass(frozen=True)
class DeleteOne:
    """The mean score of trials that differ in fold and seed alone, with and without each speaker.

    The mean is over the seeds of a fold, then over folds. Where a speaker is left out, a fold
    weighs by the share of its speakers that is left, so that in a score that is itself a mean over
    speakers every speaker counts as much as every other.
    """

    whole: float
    """With all speakers."""
    without: Floats
    """Without each of the K speakers in turn, (K,)."""
    folds: tuple[FoldScores, ...]
    weights: Floats
    """What share of the test utterances is of each speaker, each fold counting the same, (K,)."""
    utterances: int
    """On how many test utterances it rests."""
    tested: str = ""
    """Digest of the utterances of each fold: those of the same can be set side by side."""

    @property
    def speakers(self) -> int:
        """K."""
        return len(self.without)

    @property
    def effective_speakers(self) -> float:
        """As many of equal size would weigh as unevenly as these: 1 / Σ w², K where all are equal.

        Kish, "Survey Sampling", 1965.
        """
        return float(1 / (self.weights**2).sum())

    @property
    def degrees(self) -> float:
        """Of freedom of what is told between speakers: K - 1, fewer where they weigh unevenly."""
        return max(1.0, self.effective_speakers - 1)

    @property
    def seeds(self) -> tuple[int, ...]:
        """How many each fold has."""
        return tuple(len(fold.whole) for fold in self.folds)

    @property
    def retrained(self) -> bool:
        """Whether any fold was trained with two seeds, so that training's noise is seen."""
        return max(self.seeds) > 1


def delete_one(folds: Folds, task: TaskCard) -> dict[str, DeleteOne]:
    """The scores of trials with and without each speaker, by metric.

    Args:
        folds: their predictions
        task: what they predict

    Returns:
        Only the metrics that have intervals; nothing where the task has none, where there are
        fewer than two speakers, or where the speaker of any test utterance is not known.

    Raises:
        ValueError: the predictions do not have the same columns.
    """
    frames = [frame for seeds in folds for frame in seeds]
    if any(list(frame.columns) != list(frames[0].columns) for frame in frames):
        raise ValueError("predictions of one group must have the same columns")
    statistics = task.load().sufficient_statistics
    if statistics is None or any(frame["speaker"].isna().any() for frame in frames):
        return {}
    speakers = sorted({str(name) for frame in frames for name in frame["speaker"].unique()})
    if len(speakers) < 2:
        return {}
    sums = [
        [_sums(statistics.of_utterances(frame), frame, speakers) for frame in seeds]
        for seeds in folds
    ]
    counts = [_sums(np.ones((len(seeds[0]), 1)), seeds[0], speakers)[:, 0] for seeds in folds]
    found = delete_one_of_sums(sums, np.array(counts), statistics)
    tested = _tested(folds)
    return {metric: replace(score, tested=tested) for metric, score in found.items()}


def delete_one_of_sums(
    sums: Sequence[Sequence[Floats]], counts: Floats, statistics: SufficientStatistics
) -> dict[str, DeleteOne]:
    """As `delete_one`, from what the utterances of each speaker add up to.

    Args:
        sums: for each fold and seed, (K, S), zero for speakers that the fold does not test
        counts: of each fold, how many utterances each speaker has, (F, K)
        statistics: what they are sums of
    """
    speakers = counts.shape[1]
    kept = np.vstack([np.ones(speakers), 1 - np.eye(speakers)])
    scored = [[statistics.scores(kept @ one) for one in seeds] for seeds in sums]
    members = counts > 0
    weights = kept @ (members / members.sum(1, keepdims=True)).T
    weights = (weights / weights.sum(1, keepdims=True)).T
    shares = (counts / counts.sum(1, keepdims=True)).mean(0)
    return {
        metric: DeleteOne(*_of_metric(metric, scored, weights, members), shares, int(counts.sum()))
        for metric in scored[0][0]
    }


def difference(one: DeleteOne, other: DeleteOne) -> DeleteOne:
    """One minus the other, speaker by speaker and seed by seed.

    Raises:
        ValueError: they have not as many seeds in each fold.
    """
    if one.seeds != other.seeds:
        raise ValueError(f"seeds of folds differ: {one.seeds} and {other.seeds}")
    return replace(
        one,
        whole=one.whole - other.whole,
        without=one.without - other.without,
        folds=tuple(
            FoldScores(own.whole - its.whole, own.without - its.without)
            for own, its in zip(one.folds, other.folds, strict=True)
        ),
    )


def _of_metric(
    metric: str,
    scored: Sequence[Sequence[Mapping[str, Floats]]],
    weights: Floats,
    members: NDArray[np.bool_],
) -> tuple[float, Floats, tuple[FoldScores, ...]]:
    by_fold = [np.array([scores[metric] for scores in seeds]) for seeds in scored]
    means = (weights * np.array([values.mean(0) for values in by_fold])).sum(0)
    folds = tuple(
        FoldScores(values[:, 0], values[:, 1:][:, own])
        for values, own in zip(by_fold, members, strict=True)
    )
    return float(means[0]), means[1:], folds


def _sums(values: Floats, frame: pd.DataFrame, speakers: Sequence[str]) -> Floats:
    """What the utterances of every speaker add up to: from (N, S) to (K, S)."""
    place = {name: index for index, name in enumerate(speakers)}
    sums = np.zeros((len(speakers), values.shape[1]))
    np.add.at(sums, [place[str(name)] for name in frame["speaker"]], values)
    return sums


def _tested(folds: Folds) -> str:
    found = hashlib.sha256()
    for seeds in folds:
        found.update("\n".join(sorted(map(str, seeds[0]["utterance_id"]))).encode() + b"\0")
    return found.hexdigest()
