"""Which rows of the comparison people look at, in which order and sections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import UserError
from harness.reporting.column_choice import asked_column, asked_columns
from harness.reporting.columns import Column, not_empty
from harness.reporting.comparison_columns import AnyRow, comparison_columns
from harness.reporting.report_model import BaselineRow, Report, ReportRow
from harness.reporting.score_columns import headline
from harness.reporting.shared_columns import CORPUS

BASELINES = "Baselines"


@dataclass(frozen=True)
class TableView:
    """What was asked for; as it is, every row with the columns that decide."""

    columns: tuple[Column, ...] = ()
    """Beside those that say which row it is; the deciding ones that fit if there are none."""
    sort: Column | None = None
    worst_first: bool = False
    """The other way round: the worst of a score or a cost, the last of names."""
    top: int | None = None
    """So many rows of each corpus and task; the best if they are not sorted otherwise."""
    group_by: Column | None = None
    """Of the rows in sections; each corpus is one if there is none."""


@dataclass(frozen=True)
class TableSection:
    """Rows that stand together."""

    title: str
    """Empty where there is but one."""
    rows: tuple[AnyRow, ...]


EVERYTHING = TableView()


def read_view(
    report: Report,
    columns: Sequence[str] = (),
    sort: str = "",
    top: int | None = None,
    group_by: str = "",
) -> TableView:
    """What is asked for by names of columns of comparison.csv.

    Args:
        report: which is to be looked at
        columns: names, or groups of them: see `column_choice.COLUMN_GROUPS`
        sort: the column to sort by, best first: high scores and speeds, low costs; with a minus
            in front the other way round
        top: how many rows of each corpus
        group_by: the column whose values head sections

    Raises:
        UserError: there is no column of a name, or `top` is less than 1.
    """
    if top is not None and top < 1:
        raise UserError(f"--top: found {top}, needs a number of rows from 1 on")
    if not report.rows:
        return EVERYTHING
    known = {column.name: column for column in comparison_columns(report)}
    return TableView(
        columns=asked_columns(report, columns),
        sort=asked_column(known, "--sort", sort.removeprefix("-"), ()) if sort else None,
        worst_first=sort.startswith("-"),
        top=top,
        group_by=asked_column(known, "--group-by", group_by) if group_by else None,
    )


def shown_rows(report: Report, view: TableView) -> tuple[AnyRow, ...]:
    """The rows to show, corpus by corpus, each followed by what guessing scores on it."""
    found: list[AnyRow] = []
    for corpus in dict.fromkeys(row.corpus for row in report.rows):
        for task in report.tasks:
            own = [row for row in report.rows if (row.corpus, row.task) == (corpus, task)]
            found += _ordered(own, report, view, task)[: view.top]
        found += [row for row in report.baselines if row.corpus == corpus and _says(row, view)]
    return tuple(found)


def sections(report: Report, view: TableView) -> tuple[TableSection, ...]:
    """The rows to show, in sections."""
    column = view.group_by or CORPUS
    found: dict[str, list[AnyRow]] = {}
    for row in shown_rows(report, view):
        of_trials = isinstance(row, ReportRow) or column.name == CORPUS.name
        title = f"{column.heading}: {column.text(row)}" if of_trials else BASELINES
        found.setdefault(title, []).append(row)
    # guessing comes last, whatever stands before it
    last = {title: rows for title, rows in found.items() if title == BASELINES}
    ordered = {title: rows for title, rows in found.items() if title != BASELINES} | last
    alone = len(ordered) == 1
    return tuple(TableSection("" if alone else t, tuple(rows)) for t, rows in ordered.items())


def _says(row: BaselineRow, view: TableView) -> bool:
    """Whether one of the columns that are asked for holds something of it."""
    return not view.columns or bool(not_empty(view.columns, [row]))


def _ordered(
    rows: Sequence[ReportRow], report: Report, view: TableView, task: str
) -> Sequence[ReportRow]:
    column = view.sort
    if column is None and view.top is None:
        return rows
    if column is None:
        known = {column.name: column for column in comparison_columns(report)}
        column = known[headline(task).name]
    return _sorted(rows, column.raw, first_high=(column.better == "high") != view.worst_first)


def _sorted(
    rows: Sequence[ReportRow], value: Callable[[Any], Any], *, first_high: bool
) -> Sequence[ReportRow]:
    """By value; rows that lack it last, whichever end comes first."""
    known = [row for row in rows if value(row) is not None]
    ordered = sorted(known, key=lambda row: _key(value(row)), reverse=first_high)
    return [*ordered, *(row for row in rows if value(row) is None)]


def _key(value: Any) -> tuple[int, float, str]:
    """Numbers before texts; a number of layers before all of them."""
    if isinstance(value, int | float):
        return (0, float(value), "")
    return (1, 0.0, str(value).casefold())
