"""Which row is better over many corpora."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import friedmanchisquare, norm, rankdata, studentized_range

from harness.errors import UserError
from harness.results.inference.multiple_tests import holm

FEWEST_CORPORA = 5
"""Below so many, ranks over corpora say nothing."""


@dataclass(frozen=True)
class OverCorpora:
    """Mean ranks of rows over corpora, 1 being the best."""

    corpora: tuple[str, ...]
    ranks: Mapping[str, float]
    """By row, the best first."""
    p: float
    """Friedman's: that all are alike."""
    pairs: Mapping[tuple[str, str], float]
    """Of each pair, the better first, p after Holm."""
    critical_difference: float
    """Of mean ranks, after Nemenyi: rows nearer than that are joined in the diagram."""


def over_corpora(
    scores: Mapping[str, Mapping[str, float]], *, higher_is_better: bool = True
) -> OverCorpora:
    """Friedman's test over corpora, with pairs of mean ranks after Holm.

    Demšar, "Statistical comparisons of classifiers over multiple data sets", 2006.

    Args:
        scores: by corpus, of each row; rows that a corpus lacks are left out
        higher_is_better: else the lowest score has rank 1

    Raises:
        UserError: there are fewer than five corpora, or fewer than three rows on all of them.
    """
    corpora = tuple(scores)
    if len(corpora) < FEWEST_CORPORA:
        raise UserError(
            f"rows are ranked over {FEWEST_CORPORA} corpora or more; here are {len(corpora)}: "
            f"{', '.join(corpora) or 'none'}"
        )
    names = [n for n in scores[corpora[0]] if all(n in of_corpus for of_corpus in scores.values())]
    if len(names) < 3:
        raise UserError(
            f"three rows or more are needed on each of the {len(corpora)} corpora to rank them "
            f"over all; found on all: {', '.join(names) or 'none'}"
        )
    sign = -1 if higher_is_better else 1
    table = sign * np.array([[scores[corpus][name] for name in names] for corpus in corpora])
    means = rankdata(table, axis=1).mean(0)
    order = sorted(range(len(names)), key=lambda place: float(means[place]))
    count, rows = len(corpora), len(names)
    error = (rows * (rows + 1) / (6 * count)) ** 0.5
    found = [(names[i], names[j], abs(means[i] - means[j]) / error) for i, j in _pairs(order)]
    corrected = holm([float(2 * norm.sf(z)) for _, _, z in found])
    return OverCorpora(
        corpora=corpora,
        ranks={names[place]: float(means[place]) for place in order},
        p=float(friedmanchisquare(*table.T).pvalue),
        pairs={(a, b): p for (a, b, _), p in zip(found, corrected, strict=True)},
        critical_difference=float(studentized_range.ppf(0.95, rows, np.inf)) / 2**0.5 * error,
    )


def _pairs(order: Sequence[int]) -> list[tuple[int, int]]:
    return list(combinations(order, 2))
