"""A report as Markdown and LaTeX. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Iterator

from harness.reporting.column_choice import columns_of_part, deciding_columns
from harness.reporting.columns import Column, not_empty
from harness.reporting.comparison_columns import FLAGS
from harness.reporting.flag_notes import (
    flag_notes,
    flag_numbers,
    numbered_flags,
    numbered_notes,
)
from harness.reporting.latex_text import booktabs, latex
from harness.reporting.ranking_markdown import ranking_markdown
from harness.reporting.ranking_text import headline_sentence
from harness.reporting.report_model import Report
from harness.reporting.score_columns import headline
from harness.reporting.tables import grid, markdown

EMPTY = "No trial has been run yet."


def to_markdown(report: Report, figure: str | None = None) -> str:
    """The tables with their footnotes, a figure's file, and the failed trials."""
    title = f"# {markdown(report.title)}"
    if not report.rows:
        return f"{title}\n\n{EMPTY}\n"
    rows = report.rows_with_baselines()
    parts = [title, grid(rows, _deciding(report, FLAGS))]
    notes = [*flag_notes(flag for row in rows for flag in row.flags), *report.footnotes]
    parts.append("\n".join(f"- {markdown(note)}" for note in notes))
    if figure is not None:
        scores = " and ".join(headline(task).title for task in report.tasks)
        parts.append(f"![Test {scores} against trainable parameters]({figure})")
    if report.rankings:
        parts += ["## Verdict", *map(ranking_markdown, report.rankings)]
    for heading, columns in _further(report):
        parts += [f"## {heading}", grid(rows, columns)]
    if report.failures:
        lines = [f"- {markdown(failure.line())}" for failure in report.failures]
        parts += ["## Failed trials", "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def to_latex(report: Report) -> str:
    r"""Booktabs tables, with their footnotes and the failed trials below them.

    Needs `\usepackage{booktabs}`.
    """
    if not report.rows:
        return f"% {EMPTY}\n"
    rows = report.rows_with_baselines()
    numbers = flag_numbers(rows)
    parts = [booktabs(rows, _deciding(report, numbered_flags(numbers)))]
    for heading, columns in _further(report):
        parts += [rf"\par\medskip\noindent {latex(heading)}\par\smallskip", booktabs(rows, columns)]
    failed = [f"failed: {failure.line()}" for failure in report.failures]
    verdicts = map(headline_sentence, report.rankings)
    notes = [*verdicts, *numbered_notes(numbers), *report.footnotes, *failed]
    below = "\n".join(rf"\par {latex(note)}" for note in notes)
    return "\n".join([*parts, r"\par\smallskip{\footnotesize", below, r"\par}"]) + "\n"


def _deciding(report: Report, flags: Column) -> tuple[Column, ...]:
    """What is read first, and what qualifies it."""
    found = deciding_columns(report)
    last = not_empty([flags], report.rows_with_baselines())
    return (*found.names, *found.scores, *found.costs, *last)


def _further(report: Report) -> Iterator[tuple[str, tuple[Column, ...]]]:
    """The other tables, each with what says which row it is."""
    deciding = deciding_columns(report)
    said = {column.name for column in (*deciding.scores, *deciding.costs)}
    scores = [c for c in columns_of_part(report, "scores") if c.name not in said]
    costs = [c for c in columns_of_part(report, "cost") if c.name not in said]
    if scores:
        yield "More scores", (*deciding.names, *scores)
    yield "Trials and costs", (*deciding.names, *columns_of_part(report, "trials"), *costs)
