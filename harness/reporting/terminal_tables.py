"""The comparison as tables for a terminal of some width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from harness.reporting.column_choice import DecidingColumns, deciding_columns, named_columns
from harness.reporting.columns import Column, not_empty
from harness.reporting.comparison_columns import CHOSEN, AnyRow
from harness.reporting.flag_notes import Numbers, numbered_flags
from harness.reporting.report_model import BaselineRow, Report
from harness.reporting.shared_columns import CORPUS
from harness.reporting.table_view import TableSection, TableView
from harness.reporting.text_layout import (
    TextColumn,
    TextTable,
    fitted,
    in_blocks,
    merged,
    text_columns,
    unfolded,
)


@dataclass(frozen=True)
class FittedTables:
    """Tables of the same rows under each other."""

    tables: tuple[TextTable, ...]
    left_out: tuple[str, ...] = ()
    """Headings of columns that decide, for which there was no room."""


def fit_comparison(
    report: Report, rows: Sequence[AnyRow], view: TableView, numbers: Numbers, width: int
) -> FittedTables:
    """The rows in tables that are no wider than the terminal, if there is any way.

    Args:
        report: whose rows they are
        rows: those to show, in their order
        view: which columns are asked for, and which heads sections and so needs none of its own
        numbers: those of the rows' flags
        width: of a line, in cells
    """
    apart = (view.group_by or CORPUS).name
    names = _text(rows, (column for column in named_columns(report) if column.name != apart))
    last = _text(rows, [numbered_flags(numbers)] if numbers else [])
    if view.columns:
        others = _text(rows, (column for column in view.columns if column.name != apart))
        return FittedTables(tuple(_blocks(names, others, width, last)))
    return _deciding(report, rows, names, last, width)


def drawn(tables: Iterable[TextTable], parts: Sequence[TableSection]) -> Text:
    """Tables of the rows of the sections, each with its headings and rules."""
    text = Text()
    for number, table in enumerate(tables):
        text.append("\n" if number else "")
        for line in table.head():
            text.append(f"{line}\n", "bold")
        text.append(f"{'─' * table.width}\n", "dim")
        _draw_rows(text, table, parts)
    return text


def grid_text(rows: Sequence[Any], columns: Sequence[Column], names: int, width: int) -> Text:
    """Rows of any kind in tables that fit, without what is empty.

    Args:
        rows: at least one
        columns: what to show of them
        names: how many of the columns say which row it is, and stand in every table
        width: of a line, in cells
    """
    first, others = _text(rows, columns[:names]), _text(rows, columns[names:])
    return drawn(in_blocks(first, others, width), [TableSection("", tuple(rows))])


def _deciding(
    report: Report,
    rows: Sequence[AnyRow],
    names: Sequence[TextColumn],
    last: Sequence[TextColumn],
    width: int,
) -> FittedTables:
    """One table of the columns that decide; costs go first where there is no room."""
    deciding = deciding_columns(report)
    scores, costs = _text(rows, deciding.scores), _text(rows, deciding.costs)
    for within_words in (False, True):
        for count in range(len(costs), -1, -1):
            columns = [*names, *scores, *costs[:count], *last]
            if table := fitted(columns, width, within_words=within_words):
                places = [len(names) + len(scores), len(columns) - len(last)]
                if count == len(costs):
                    table = _with_more(table, places, rows, deciding.more, width)
                return FittedTables((table,), _lacking(table, deciding))
    return FittedTables(tuple(_blocks(names, [*scores, *costs], width, last)))


def _with_more(
    table: TextTable,
    places: Sequence[int],
    rows: Sequence[AnyRow],
    more: Sequence[Column],
    width: int,
) -> TextTable:
    """With what else finds room, where nothing has to be folded for it.

    Args:
        table: what is there
        places: behind the scores, and behind the costs
        rows: those of the table
        more: what may be added, the most wanted first
        width: of a line, in cells
    """
    after_scores, after_costs = places
    for column in more:
        place = after_scores if column.part == "scores" else after_costs
        wider = unfolded([*table.columns[:place], *_text(rows, [column]), *table.columns[place:]])
        if wider.width > width:
            continue
        table, after_costs = wider, after_costs + 1
        after_scores += column.part == "scores"
    return table


def _lacking(table: TextTable, deciding: DecidingColumns) -> tuple[str, ...]:
    """The headings of costs, and of what dev chose, that found no room."""
    shown = {column.heading for column in table.columns}
    wanted = (*deciding.costs, *(c for c in deciding.more if c.name == CHOSEN.name))
    return tuple(column.heading for column in wanted if column.heading not in shown)


def _blocks(
    names: Sequence[TextColumn],
    others: Sequence[TextColumn],
    width: int,
    last: Sequence[TextColumn],
) -> list[TextTable]:
    """As many tables as it takes; many names stand in one column if they would fill the line."""
    room = [fitted([*names, other, *last], width, within_words=True) for other in others or [_NONE]]
    if len(names) > 1 and not all(room):
        names = [names[0], merged(names[1:], "Settings")]
    return in_blocks(names, others, width, last)


_NONE = TextColumn("", ())


def _text(rows: Sequence[Any], columns: Iterable[Column]) -> list[TextColumn]:
    return list(text_columns(rows, not_empty(columns, rows)))


def _draw_rows(text: Text, table: TextTable, parts: Sequence[TableSection]) -> None:
    place = 0
    for part in parts:
        text.append(f"{part.title}\n" if part.title else "", "bold cyan")
        for row in part.rows:
            style = "dim" if isinstance(row, BaselineRow) else ""
            for line in table.row(place):
                text.append(f"{line}\n", style)
            place += 1
