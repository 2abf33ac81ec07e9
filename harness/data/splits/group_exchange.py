"""Groups of speakers made more even by exchanges, where dealing alone left them uneven.

A group is good if it holds every class, as many utterances as the others, and its share of each
class, in this order of weight. Two speakers change places, or one moves, as long as that helps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]

TOLERANCE = 0.05
"""Groups whose sizes are as close to their mean as this and that lack no class are left alone."""

_LACKING = 1_000.0
"""What a class that a group lacks weighs beside any unevenness."""


def exchanged(
    groups: Sequence[Sequence[str]], counts: Mapping[str, Mapping[str, int]]
) -> list[list[str]]:
    """The groups after every exchange that makes them more even.

    Args:
        groups: speakers, each in one group, in an order that decides between equal exchanges
        counts: how many utterances of each class each speaker has
    """
    names = [name for group in groups for name in group]
    classes = sorted({label for name in names for label in counts[name]})
    table = np.array([[counts[name].get(label, 0) for label in classes] for name in names])
    group_of = np.array([place for place, group in enumerate(groups) for _ in group])
    if _even_enough(table, group_of, len(groups)):
        return [list(group) for group in groups]
    while _exchange_once(table, group_of, len(groups)):
        pass
    return [[names[i] for i in np.flatnonzero(group_of == place)] for place in range(len(groups))]


def _even_enough(table: Counts, group_of: Counts, groups: int) -> bool:
    totals = _totals(table, group_of, groups)
    sizes = totals.sum(1) / totals.sum() * groups
    in_reach = (table > 0).sum(0) >= groups  # others have too few speakers to be in every group
    return bool((abs(sizes - 1) <= TOLERANCE).all() and (totals[:, in_reach] > 0).all())


def _totals(table: Counts, group_of: Counts, groups: int) -> Counts:
    totals = np.zeros((groups, table.shape[1]), dtype=np.int64)
    np.add.at(totals, group_of, table)
    return totals


def _exchange_once(table: Counts, group_of: Counts, groups: int) -> bool:
    """Make the best exchange of the worst group that has one; whether there was any."""
    totals = _totals(table, group_of, groups)
    ideal = totals.sum(0) / groups
    costs = _cost(totals, ideal)
    # one that stays empty stands for nobody, so that a speaker can move without another in return
    rows = np.vstack([table, np.zeros((1, table.shape[1]), dtype=np.int64)])
    nobody = len(table)
    for worst in np.argsort(-costs, kind="stable"):
        found: tuple[float, int, int, int] | None = None
        own = np.append(np.flatnonzero(group_of == worst), nobody)
        for other in range(groups):
            if other == worst:
                continue
            theirs = np.append(np.flatnonzero(group_of == other), nobody)
            change = rows[theirs][None] - rows[own][:, None]  # (own, theirs, classes)
            after = _cost(totals[worst] + change, ideal) + _cost(totals[other] - change, ideal)
            gain = np.round(costs[worst] + costs[other] - after, 9)
            i, j = np.unravel_index(int(gain.argmax()), gain.shape)
            if gain[i, j] > 0 and (found is None or gain[i, j] > found[0]):
                found = float(gain[i, j]), int(own[i]), int(theirs[j]), other
        if found is not None:
            _, leaving, coming, other = found
            if leaving != nobody:
                group_of[leaving] = other
            if coming != nobody:
                group_of[coming] = worst
            return True
    return False


def _cost(totals: NDArray[np.int64], ideal: NDArray[np.float64]) -> NDArray[np.float64]:
    """How bad groups with these totals (..., classes) are."""
    lacking = ((totals == 0) & (ideal > 0)).sum(-1)
    size = (totals.sum(-1) / ideal.sum() - 1) ** 2
    shares = ((totals / np.where(ideal > 0, ideal, 1) - 1) ** 2).mean(-1)
    cost: NDArray[np.float64] = _LACKING * lacking + 10 * size + shares
    return cost
