"""A report as Markdown, LaTeX and for the terminal. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from harness.reporting.columns import Column, Part
from harness.reporting.comparison_columns import displayed_columns
from harness.reporting.report_model import Report
from harness.reporting.score_columns import headline, metrics_of_tasks
from harness.reporting.shared_columns import CORPUS
from harness.reporting.tables import grid

_EMPTY = "No trial has been run yet."

_LATEX = str.maketrans(
    {
        **{sign: f"\\{sign}" for sign in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "→": r"$\rightarrow$",
        "−": "$-$",
        "×": r"$\times$",
        "±": r"$\pm$",
        "·": r"$\cdot$",
        "≤": r"$\leq$",
    }
)
"""What stands for itself in text and not in LaTeX."""


def to_markdown(report: Report, figure: str | None = None) -> str:
    """The table with its footnotes, a figure's file, and the failed trials."""
    title = f"# {report.title}"
    if not report.rows:
        return f"{title}\n\n{_EMPTY}\n"
    parts = [title, grid(report.rows_with_baselines(), displayed_columns(report), "pipe")]
    parts.append("\n".join(f"- {note}" for note in report.footnotes))
    if figure is not None:
        scores = " and ".join(headline(task).title for task in report.tasks)
        parts.append(f"![Test {scores} against trainable parameters]({figure})")
    if report.failures:
        lines = [f"- {failure.line()}" for failure in report.failures]
        parts += ["## Failed trials", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def to_latex(report: Report) -> str:
    r"""A booktabs table with its footnotes and failed trials below it.

    Needs `\usepackage{booktabs}` and, for so many columns, a wide page.
    """
    if not report.rows:
        return f"% {_EMPTY}\n"
    notes = [*report.footnotes, *(f"failed: {failure.line()}" for failure in report.failures)]
    table = grid(report.rows_with_baselines(), displayed_columns(report), "latex_booktabs")
    below = "\n".join(rf"\par {note.translate(_LATEX)}" for note in notes)
    return f"{table}\n\\par\\smallskip\n{{\\footnotesize\n{below}\n\\par}}\n"


def to_rich(report: Report) -> RenderableType:
    """For the terminal: scores and costs as two tables, as one would not fit its width.

    Metrics without interval, and the corpus where there is only one, are left to the files.
    """
    if not report.rows:
        return Text(_EMPTY)
    left_out = {metric.name for metric in metrics_of_tasks(report.tasks) if not metric.has_interval}
    if len({row.corpus for row in report.rows}) == 1:
        left_out.add(CORPUS.name)
    columns = [column for column in displayed_columns(report) if column.name not in left_out]
    parts: list[RenderableType] = [
        # what is too wide is cut on the right, so flags stand before scores
        _rich_table(
            report.rows_with_baselines(),
            _of_parts(columns, "name", "flags", "score"),
            report.title,
        ),
        _rich_table(
            report.rows, _of_parts(columns, "name", "trials", "cost"), "Trials and what they cost"
        ),
        Text("\n".join(report.footnotes), style="dim"),
    ]
    if report.failures:
        lines = ["Failed trials:", *(failure.line() for failure in report.failures)]
        parts.append(Text("\n".join(lines), style="red"))
    return Group(*parts)


def _of_parts(columns: Sequence[Column], *parts: Part) -> list[Column]:
    return [column for part in parts for column in columns if column.part == part]


def _rich_table(rows: Sequence[Any], columns: Sequence[Column], title: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in columns:
        justify: JustifyMethod = "right" if column.numeric else "left"
        # a narrow terminal breaks scores over lines, but must not cut a name or a flag
        whole = column.part in ("name", "flags")
        table.add_column(column.title, justify=justify, no_wrap=whole)
    for row in rows:
        # Text, so that brackets of intervals are not read as markup
        table.add_row(*(Text(_broken(column.text(row), column)) for column in columns))
    return table


def _broken(text: str, column: Column) -> str:
    return text.replace(", ", "\n") if column.part == "flags" else text
