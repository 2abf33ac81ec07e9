"""For which class each class was taken, over the trials of a group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from harness.results.records import Record
from harness.tasks.scores import SplitMetrics


@dataclass(frozen=True)
class GroupConfusion:
    """Utterances of the test splits of some trials, added up."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    """Rows are true classes, columns predicted ones, in their order."""


def group_confusion(records: Iterable[Record]) -> GroupConfusion | None:
    """The sum over trials; None without any, of other tasks, or if their classes differ."""
    found = [record.metrics.get("test") for record in records]
    known = [scores for scores in found if isinstance(scores, SplitMetrics)]
    classes = {tuple(scores.per_class) for scores in known}
    if not known or len(known) < len(found) or len(classes) != 1:
        return None
    total = np.sum([scores.confusion for scores in known], axis=0)
    return GroupConfusion(classes.pop(), tuple(map(tuple, total.tolist())))
