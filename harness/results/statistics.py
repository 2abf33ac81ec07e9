"""From trials to groups: means, and how far folds and seeds spread them.

A group holds the trials that differ in fold and seed alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


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
