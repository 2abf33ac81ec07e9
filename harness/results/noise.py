"""How far repeated measurements scatter, and whether two of them differ."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np

FEWEST = 5
"""Below so many samples their scatter is not known."""


def spread(samples: Sequence[float]) -> float | None:
    """The distance between the 10th and the 90th percentile, as a share of the median.

    >>> round(spread([1.0, 1.1, 1.0, 0.9, 1.0]), 2)
    0.12
    >>> spread([1.0, 1.1]) is None
    True
    """
    if len(samples) < FEWEST:
        return None
    low, high = np.quantile(samples, (0.1, 0.9))
    return float((high - low) / median(samples))


def chance(base: Sequence[float], head: Sequence[float]) -> float:
    """The probability that samples of one source differ as much as these: Mann and Whitney's test.

    Mann and Whitney, "On a test of whether one of two random variables is stochastically larger
    than the other", 1947. Two-sided.

    >>> chance([1.0, 1.1, 1.2, 1.3], [1.0, 1.1, 1.2, 1.3])
    1.0
    >>> chance([1.0, 1.1, 1.2, 1.3], [2.0, 2.1, 2.2, 2.3]) < 0.05
    True
    """
    from scipy.stats import mannwhitneyu  # loads slowly, and measuring needs none of it

    return float(mannwhitneyu(base, head).pvalue)
