"""Test splits in which a class of the corpus never occurs."""

from __future__ import annotations

from collections.abc import Iterable

from harness.results.records import Record
from harness.tasks.scores import SplitMetrics


def lacking_classes(records: Iterable[Record]) -> dict[str, tuple[str, ...]]:
    """By corpus and fold, for people, the classes that its test split lacks.

    Args:
        records: outcomes; those of other tasks, and failed ones, have no classes to lack
    """
    found: dict[str, tuple[str, ...]] = {}
    ordered = sorted(records, key=lambda r: (r.trial.corpus.name, r.trial.fold))
    for record in ordered:
        scores = record.metrics.get("test")
        if not isinstance(scores, SplitMetrics):
            continue
        lacking = tuple(name for name, one in scores.per_class.items() if one.support == 0)
        if lacking:
            found[f"{record.trial.corpus.name} fold {record.trial.fold}"] = lacking
    return found
