"""Which classes the trials of a group take for which, and how well each is recognised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.results.records import Record
from harness.tasks.scores import SplitMetrics


@dataclass(frozen=True)
class PooledClass:
    """How well one class is recognised over all trials of a group; None for 0 divided by 0."""

    name: str
    support: int
    """Utterances of the class, each as often as it was tested."""
    precision: float | None
    recall: float | None
    f1: float | None
    predicted: tuple[int, ...]
    """As which classes its utterances were predicted, in the order of the classes."""

    @property
    def shares(self) -> tuple[float | None, ...]:
        """The same as shares of its utterances."""
        return tuple(_share(count, self.support) for count in self.predicted)


def class_scores(records: Sequence[Record]) -> tuple[PooledClass, ...]:
    """Every class of some trials that ended well, from their confusion on test added up.

    An utterance that several seeds or folds tested counts in each. Empty where the task has no
    classes.

    Args:
        records: the outcomes, of trials that differ in fold and seed alone
    """
    splits = [record.metrics.get("test") for record in records]
    tested = [scores for scores in splits if isinstance(scores, SplitMetrics)]
    names = tuple(dict.fromkeys(name for scores in tested for name in scores.per_class))
    counts = _confusion(tested, names)
    return tuple(_pooled(names, counts, place) for place in range(len(names)))


def _confusion(tested: Iterable[SplitMetrics], names: Sequence[str]) -> NDArray[np.int64]:
    """True classes × predicted ones, (C, C)."""
    total = np.zeros((len(names), len(names)), dtype=np.int64)
    for scores in tested:
        # a fold of part of a corpus may lack a class
        places = [names.index(name) for name in scores.per_class]
        total[np.ix_(places, places)] += np.array(scores.confusion, dtype=np.int64)
    return total


def _pooled(names: Sequence[str], counts: NDArray[np.int64], place: int) -> PooledClass:
    true, support, found = counts[place, place], counts[place].sum(), counts[:, place].sum()
    return PooledClass(
        name=names[place],
        support=int(support),
        precision=_share(true, found),
        recall=_share(true, support),
        f1=_share(2 * true, support + found),
        predicted=tuple(map(int, counts[place])),
    )


def _share(part: int | np.integer, whole: int | np.integer) -> float | None:
    return float(part / whole) if whole else None
