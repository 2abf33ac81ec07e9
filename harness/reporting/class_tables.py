"""What is told class by class as Markdown, LaTeX and CSV, and for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
from rich.text import Text

from harness.reporting.class_columns import (
    ClassOfRow,
    class_csv_columns,
    confusion_columns,
    f1_columns,
)
from harness.reporting.columns import Column, not_empty
from harness.reporting.formats import printable
from harness.reporting.latex_text import booktabs, latex
from harness.reporting.report_model import Report, ReportRow
from harness.reporting.tables import frame, grid, markdown
from harness.reporting.terminal_tables import grid_text
from harness.reporting.text_layout import fold

CLASS_NOTES = (
    "Counts are summed over folds and seeds: an utterance counts once for each seed that it was "
    "tested with. Rows are the true classes, columns what was predicted, with shares of the row.",
    "Precision, recall and F1 are those of the summed counts, in %; n: how many were tested. Their "
    "mean is not the macro-F1 of the comparison, which is a mean over folds and seeds.",
)


def per_class_frame(report: Report) -> pd.DataFrame:
    """One row a row of the comparison × class, shares in [0, 1].

    Columns: which row it is; `class`, `class_support`, `class_precision`, `class_recall`,
    `class_f1`; how many utterances of the class were predicted as each, `predicted_<class>`.
    """
    found = [ClassOfRow(row, one) for row in report.rows for one in row.classes]
    return frame(found, class_csv_columns(report))


def per_class_markdown(report: Report) -> str:
    """The F1 of each class of every row, then the confusion of each."""
    parts = [f"# {markdown(report.title)}: per class"]
    for corpus, rows in _by_corpus(report.rows):
        parts += [f"## {markdown(corpus)}: F1 in %", grid(rows, _f1(report, rows))]
        for row in rows:
            parts += [
                f"### {markdown(_named(row))}",
                grid(row.classes, confusion_columns(row)),
            ]
    parts.append("\n".join(f"- {note}" for note in CLASS_NOTES))
    return "\n\n".join(parts) + "\n"


def per_class_latex(report: Report) -> str:
    """The same as booktabs tables, each under what it shows."""
    parts = []
    for corpus, rows in _by_corpus(report.rows):
        parts += _titled(f"{corpus}: F1 in %", rows, _f1(report, rows))
        for row in rows:
            parts += _titled(_named(row), row.classes, confusion_columns(row))
    notes = "\n".join(rf"\par {latex(note)}" for note in CLASS_NOTES)
    return "\n".join([*parts, rf"{{\footnotesize{notes}\par}}"]) + "\n"


def per_class_text(report: Report, rows: Sequence[ReportRow], width: int) -> Iterator[Text]:
    """The same of some rows, in tables that fit a terminal."""
    for corpus, own in _by_corpus(rows):
        yield _heading(f"{printable(corpus)}: F1 of each class, %", width)
        columns = _f1(report, own)
        names = sum(column.part == "name" for column in columns)
        yield grid_text(own, columns, names, width)
        for row in own:
            yield _heading(_named(row), width)
            yield grid_text(row.classes, confusion_columns(row, "\n"), 1, width)


def _heading(text: str, width: int) -> Text:
    return Text("\n".join(fold(text, width)), "bold cyan")


def _by_corpus(rows: Sequence[ReportRow]) -> list[tuple[str, list[ReportRow]]]:
    """The rows that have classes, corpus by corpus."""
    corpora = dict.fromkeys(row.corpus for row in rows if row.classes)
    return [(name, [row for row in rows if row.corpus == name and row.classes]) for name in corpora]


def _f1(report: Report, rows: Sequence[ReportRow]) -> tuple[Column, ...]:
    return not_empty(f1_columns(report, rows), rows)


def _named(row: ReportRow) -> str:
    """Which row it is, on one line."""
    return printable(f"{row.corpus} · {row.name}")


def _titled(title: str, rows: Sequence[object], columns: Sequence[Column]) -> list[str]:
    return [rf"\par\medskip\noindent {latex(title)}\par\smallskip", booktabs(rows, columns)]
