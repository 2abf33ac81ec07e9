"""A report for a terminal: tables that fit its width, and under them what a reader must know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

from harness.reporting.class_tables import CLASS_NOTES, per_class_text
from harness.reporting.column_choice import COLUMN_GROUPS
from harness.reporting.columns import not_empty
from harness.reporting.comparison_columns import AnyRow
from harness.reporting.cost_columns import SIZE_COLUMNS, SPEED_COLUMNS, measured_workloads
from harness.reporting.flag_notes import flag_numbers, numbered_notes
from harness.reporting.formats import printable
from harness.reporting.ranking_text import headline_sentence
from harness.reporting.report_model import Report, ReportRow
from harness.reporting.table_view import TableView, sections
from harness.reporting.terminal_tables import drawn, fit_comparison, grid_text
from harness.reporting.text_tables import EMPTY


@dataclass(frozen=True)
class TerminalPart:
    """A part of what is printed."""

    text: Text
    table: bool = False
    """Its lines fit already, and are printed as they are."""


def comparison_parts(report: Report, view: TableView, width: int) -> Iterator[TerminalPart]:
    """The comparison, the notes on it and the failed trials.

    Args:
        report: what they say
        view: which rows and columns, in which order
        width: of a line, in cells
    """
    if not report.rows:
        yield TerminalPart(Text(EMPTY))
        return
    shown = sections(report, view)
    rows = [row for section in shown for row in section.rows]
    numbers = flag_numbers(rows)
    fitted = fit_comparison(report, rows, view, numbers, width)
    yield TerminalPart(Text(_title(report), "bold"))
    yield TerminalPart(drawn(fitted.tables, shown), table=True)
    for ranking in report.rankings:
        yield TerminalPart(Text(printable(headline_sentence(ranking)), "bold"))
    notes = [*numbered_notes(numbers), *_left_out(report, view, rows, fitted.left_out)]
    yield TerminalPart(Text("\n".join(notes), "yellow")) if notes else TerminalPart(Text())
    yield TerminalPart(Text("\n".join([*map(printable, report.footnotes), _MORE]), "dim"))
    if report.failures:
        lines = ["Failed trials:", *(printable(failure.line()) for failure in report.failures)]
        yield TerminalPart(Text("\n".join(lines), "red"))


def per_class_parts(report: Report, view: TableView, width: int) -> Iterator[TerminalPart]:
    """How well each class is recognised in each row that is shown."""
    shown = [row for section in sections(report, view) for row in section.rows]
    texts = list(per_class_text(report, [r for r in shown if isinstance(r, ReportRow)], width))
    for text in texts:
        yield TerminalPart(text, table=True)
    if texts:
        yield TerminalPart(Text("\n".join(CLASS_NOTES), "dim"))
    else:
        yield TerminalPart(Text("No trial of a task with classes ended well."))


def cost_parts(report: Report, width: int) -> Iterator[TerminalPart]:
    """What each backbone costs, where nothing else was measured."""
    yield TerminalPart(Text("Costs", "bold"))
    measured = [cost for cost in report.costs if cost.status == "ok"]
    for rows, columns, names in (
        (measured_workloads(report.costs), SPEED_COLUMNS, 5),
        (measured, SIZE_COLUMNS, 3),
    ):
        if rows:
            yield TerminalPart(grid_text(rows, columns, names, width), table=True)
    yield TerminalPart(Text("\n".join(report.cost_footnotes), "dim"))


_MORE = (
    f"More columns: harness report --columns {'|'.join(COLUMN_GROUPS)} or names of "
    "comparison.csv; confusion and F1 of each class: --per-class."
)


def _title(report: Report) -> str:
    corpora = list(dict.fromkeys(row.corpus for row in report.rows))
    return printable(f"{report.title} · {corpora[0]}" if len(corpora) == 1 else report.title)


def _left_out(
    report: Report, view: TableView, rows: Sequence[AnyRow], columns: Sequence[str]
) -> Iterator[str]:
    """What is not in the tables, and a reader might look for."""
    if columns:
        yield f"Too narrow for {', '.join(columns)}: --columns all puts them in tables below."
    known = not_empty(view.columns, rows)
    if unknown := [column.heading for column in view.columns if column not in known]:
        yield f"Nothing is known of {', '.join(unknown)}."
    own = [row for row in rows if isinstance(row, ReportRow)]
    if len(own) < len(report.rows):
        yield f"{len(own)} of {len(report.rows)} rows: --top {view.top}."
