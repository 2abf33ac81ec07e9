"""The columns of what is told class by class: the confusion, precision, recall and F1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.reporting.column_choice import named_columns
from harness.reporting.columns import Column, within
from harness.reporting.comparison_columns import name_columns
from harness.reporting.formats import DASH, percent, whole_percent
from harness.reporting.report_model import Report, ReportRow
from harness.results.class_scores import PooledClass


@dataclass(frozen=True)
class ClassOfRow:
    """One class of one row of the report."""

    row: ReportRow
    scores: PooledClass


# "precision" alone may be an axis
CLASS_SCORES = (
    Column("class_support", int, title="n", value=lambda one: one.support),
    Column(
        "class_precision", float, "share", "Precision", percent, value=lambda one: one.precision
    ),
    Column("class_recall", float, "share", "Recall", percent, value=lambda one: one.recall),
    Column("class_f1", float, "share", "F1", percent, value=lambda one: one.f1),
)
"""Of a `PooledClass`."""


def class_names(rows: Sequence[ReportRow]) -> tuple[str, ...]:
    """The classes of these rows, each once."""
    return tuple(dict.fromkeys(one.name for row in rows for one in row.classes))


def confusion_columns(row: ReportRow, between: str = " ") -> tuple[Column, ...]:
    """Which class it is, as what its utterances were predicted, and how well it is recognised.

    Rows are the classes of the row.

    Args:
        row: of the report
        between: what stands between a count and its share of the class's utterances
    """
    names = [one.name for one in row.classes]
    predicted = (_predicted(name, place, between) for place, name in enumerate(names))
    return (Column("name", str, title="True class"), *predicted, *CLASS_SCORES)


def f1_columns(report: Report, rows: Sequence[ReportRow]) -> tuple[Column, ...]:
    """Which row it is, and the F1 of each class, of rows of one corpus."""
    names = [column for column in named_columns(report) if column.name != "corpus"]
    return (*names, *(_f1(name) for name in class_names(rows)))


def class_csv_columns(report: Report) -> tuple[Column, ...]:
    """All that per_class.csv holds; rows are `ClassOfRow`s."""

    def scores(row: ClassOfRow) -> PooledClass:
        return row.scores

    return (
        *within(lambda found: found.row, *name_columns(report)),
        *within(scores, Column("class", str, value=lambda one: one.name), *CLASS_SCORES),
        *map(_predicted_count, class_names(report.rows)),
    )


def _predicted(name: str, place: int, between: str) -> Column:
    def text(one: PooledClass) -> str:
        return f"{one.predicted[place]}{between}({whole_percent(one.shares[place])} %)"

    return Column(
        f"predicted_{name}",
        int,
        title=name,
        value=lambda one: one.predicted[place],
        displayed=text,
        format=lambda shown: shown.replace(f"({DASH} %)", f"({DASH})"),
    )


def _f1(name: str) -> Column:
    def value(row: ReportRow) -> float | None:
        return next((one.f1 for one in row.classes if one.name == name), None)

    return Column(f"f1_{name}", float, "share", name, percent, value=value)


def _predicted_count(name: str) -> Column:
    def count(found: ClassOfRow) -> int | None:
        names = [one.name for one in found.row.classes]
        return found.scores.predicted[names.index(name)] if name in names else None

    return Column(f"predicted_{name}", int, value=count)
