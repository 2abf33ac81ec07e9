"""A comparison as Markdown, CSV, LaTeX and for the terminal. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich import box
from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text
from tabulate import tabulate

from harness.files import write_text
from harness.reporting.columns import Column, columns, footnotes
from harness.results.store import REPORT

_EMPTY = "No trial has been run yet."


def to_markdown(
    table: pd.DataFrame, failed: pd.DataFrame, title: str = "Comparison", figure: str | None = None
) -> str:
    """The table with its footnotes, a figure's file, and the failed trials."""
    if table.empty:
        return f"# {title}\n\n{_EMPTY}\n"
    parts = [f"# {title}", _grid(table, "pipe")]
    parts.append("\n".join(f"- {note}" for note in footnotes(table)))
    if figure is not None:
        parts.append(f"![Test UAR against trainable parameters]({figure})")
    if not failed.empty:
        lines = [f"- {line}" for line in _failure_lines(failed)]
        parts += ["## Failed trials", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def to_csv(table: pd.DataFrame) -> str:
    """Every column, raw: scores as shares, sizes in bytes, nothing where nothing was measured."""
    return table.to_csv(index=False)


def to_latex(table: pd.DataFrame, failed: pd.DataFrame) -> str:
    r"""A booktabs table; footnotes and failed trials stand above it as comments.

    Needs `\usepackage{booktabs}` and, for so many columns, a wide page.
    """
    if table.empty:
        return f"% {_EMPTY}\n"
    notes = [*footnotes(table), *(f"failed: {line}" for line in _failure_lines(failed))]
    comments = "\n".join(f"% {note}" for note in notes)
    return f"{comments}\n{_grid(table, 'latex_booktabs')}\n"


def to_rich(table: pd.DataFrame, failed: pd.DataFrame, title: str = "Comparison") -> RenderableType:
    """For the terminal: scores and costs as two tables, as one would not fit its width.

    Weighted F1, and the corpus where there is only one, are left to the files.
    """
    if table.empty:
        return Text(_EMPTY)
    shown = [column for column in columns(table) if _fits_terminal(column, table)]
    parts: list[RenderableType] = [
        # what is too wide is cut on the right, so flags stand before scores
        _rich_table(table, _of(shown, "name", "flags", "score"), title),
        _rich_table(
            table[table["planned"].notna()],
            _of(shown, "name", "trials", "cost"),
            "Trials and what they cost",
        ),
        Text("\n".join(footnotes(table)), style="dim"),
    ]
    if not failed.empty:
        parts.append(Text("\n".join(["Failed trials:", *_failure_lines(failed)]), style="red"))
    return Group(*parts)


def write_comparison(
    folder: Path,
    table: pd.DataFrame,
    failed: pd.DataFrame,
    title: str = "Comparison",
    figure: str | None = None,
) -> tuple[Path, ...]:
    """Write report/comparison.md, .csv and .tex under a suite's results, each atomically.

    Args:
        folder: the suite's results
        table: the comparison
        failed: the trials that did not end well
        title: what stands above the table
        figure: a file in report/ that the Markdown shows
    """
    texts = {
        "md": to_markdown(table, failed, title, figure),
        "csv": to_csv(table),
        "tex": to_latex(table, failed),
    }
    paths = tuple(folder / REPORT / f"comparison.{ending}" for ending in texts)
    for path, text in zip(paths, texts.values(), strict=True):
        write_text(path, text)
    return paths


def write_trials(folder: Path, frame: pd.DataFrame) -> Path:
    """Write trials.csv under a suite's results, atomically."""
    path = folder / "trials.csv"
    write_text(path, frame.to_csv(index=False))
    return path


def _grid(table: pd.DataFrame, form: str) -> str:
    shown = columns(table)
    rows = [[_cell(text, form) for text in row] for row in _rows(table, shown)]
    sides = ["right" if column.numeric else "left" for column in shown]
    # fields are text already: left to itself, tabulate would round them again
    return tabulate(rows, _titles(shown), tablefmt=form, colalign=sides, disable_numparse=True)


def _cell(text: str, form: str) -> str:
    return text.replace("|", "\\|") if form == "pipe" else text


def _rows(table: pd.DataFrame, shown: Sequence[Column]) -> list[list[str]]:
    return [[column.text(row) for column in shown] for _, row in table.iterrows()]


def _titles(shown: Sequence[Column]) -> list[str]:
    return [column.title for column in shown]


def _fits_terminal(column: Column, table: pd.DataFrame) -> bool:
    one_corpus = table["corpus"].nunique() == 1
    return column.title != "Weighted F1" and not (column.title == "Corpus" and one_corpus)


def _of(shown: Sequence[Column], *parts: str) -> list[Column]:
    return [column for part in parts for column in shown if column.part == part]


def _rich_table(table: pd.DataFrame, shown: Sequence[Column], title: str) -> Table:
    grid = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in shown:
        justify: JustifyMethod = "right" if column.numeric else "left"
        # a narrow terminal breaks scores over lines, but must not cut a name or a mark
        whole = column.part in ("name", "flags")
        grid.add_column(column.title, justify=justify, no_wrap=whole)
    for row in _rows(table, shown):
        # Text, so that brackets of intervals are not read as markup
        grid.add_row(*(Text(_broken(*pair)) for pair in zip(row, shown, strict=True)))
    return grid


def _broken(text: str, column: Column) -> str:
    return text.replace(", ", "\n") if column.part == "flags" else text


def _failure_lines(failed: pd.DataFrame) -> list[str]:
    return [
        f"{trial_id}: {trial}: {status}: {' '.join(str(error or 'no message').split())}"
        for trial_id, trial, status, error in failed.itertuples(index=False)
    ]
