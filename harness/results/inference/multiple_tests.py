"""Many tests at once, and the groups of rows that they leave together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from statsmodels.stats.multitest import multipletests

from harness.tasks.task import Floats


def holm(chances: Sequence[float]) -> list[float]:
    """The p of a family of tests, so corrected that any is wrong at most as often as one alone.

    Holm, "A simple sequentially rejective multiple test procedure", 1979.

    >>> [round(p, 2) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    >>> holm([])
    []
    """
    return [float(p) for p in multipletests(chances, method="holm")[1]] if chances else []


def letters(separated: Sequence[Sequence[float]] | Floats) -> list[str]:
    """Letters of rows, so that exactly those that are not separated share one.

    Piepho, "An algorithm for a letter-based representation of all-pairwise comparisons", 2004.

    Args:
        separated: whether rows i and j are, (R, R), the best row first

    >>> letters(((0, 0, 1), (0, 0, 0), (1, 0, 0)))
    ['a', 'ab', 'b']
    """
    size = len(separated)
    columns = [frozenset(range(size))]
    for one, other in combinations(range(size), 2):
        if not separated[one][other]:
            continue
        parted = [c for c in columns if not {one, other} <= c]
        for column in columns:
            if {one, other} <= column:
                parted += [column - {one}, column - {other}]
        columns = [c for c in dict.fromkeys(parted) if not any(c < larger for larger in parted)]
    columns.sort(key=sorted)
    return ["".join(_letter(i) for i, c in enumerate(columns) if row in c) for row in range(size)]


def _letter(place: int) -> str:
    """A to z, then a1 to z1 and so on."""
    return chr(ord("a") + place % 26) + (str(place // 26) if place >= 26 else "")
