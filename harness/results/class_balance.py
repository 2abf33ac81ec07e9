"""Test splits that hold the classes of a corpus unevenly, or lack one."""

from __future__ import annotations

from collections.abc import Iterable

from harness.results.records import Record
from harness.tasks.scores import SplitMetrics

MOST_OF_ONE_CLASS = 0.6
"""The share of a test split above which one class makes accuracy say little."""


def lacking_classes(records: Iterable[Record]) -> dict[str, tuple[str, ...]]:
    """By corpus and fold, for people, the classes that its test split lacks.

    Args:
        records: outcomes; those of other tasks, and failed ones, have no classes to lack
    """
    ordered = sorted(records, key=lambda r: (r.scored_on.name, r.trial.fold))
    return {_test_split(record): lacking for record in ordered if (lacking := lacked(record))}


def lacked(record: Record) -> tuple[str, ...]:
    """The classes that never occur in a trial's test split."""
    return tuple(name for name, count in _supports(record).items() if count == 0)


def is_skewed(record: Record) -> bool:
    """Whether most of a trial's test split is of one class."""
    counts = _supports(record).values()
    return bool(counts) and max(counts) > MOST_OF_ONE_CLASS * sum(counts)


def _supports(record: Record) -> dict[str, int]:
    scores = record.metrics.get("test")
    if not isinstance(scores, SplitMetrics):
        return {}
    return {name: one.support for name, one in scores.per_class.items()}


def _test_split(record: Record) -> str:
    """A test split for people; a corpus that is scored as a whole has no folds."""
    if record.scored is not None and record.scored.corpus is not None:
        return record.scored.corpus.name
    return f"{record.trial.corpus.name} fold {record.trial.fold}"
