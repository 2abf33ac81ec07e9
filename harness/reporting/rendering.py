"""From a results folder to its report: read, written to files, printed; each on its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from harness.files import write_text
from harness.reporting.class_tables import (
    per_class_frame,
    per_class_latex,
    per_class_markdown,
)
from harness.reporting.cost_tables import costs_markdown
from harness.reporting.critical_differences import critical_differences
from harness.reporting.csv_text import to_csv
from harness.reporting.data_frames import comparison_frame, costs_frame, trials_frame
from harness.reporting.figures import save_figure, write_figures
from harness.reporting.ranking_parts import over_corpora_parts, ranking_parts
from harness.reporting.report_building import build_report
from harness.reporting.report_model import Report
from harness.reporting.scoring_text import as_scored
from harness.reporting.table_view import EVERYTHING, TableView
from harness.reporting.terminal_report import (
    TerminalPart,
    comparison_parts,
    cost_parts,
    per_class_parts,
)
from harness.reporting.text_tables import to_latex, to_markdown
from harness.results.inference.over_corpora import OverCorpora
from harness.results.ranking import Ranking
from harness.results.store import REPORT, ResultsStore

_LOG_COLUMNS = 100


def report_of(store: ResultsStore) -> Report:
    """The report of a suite's results; nothing is written."""
    records = store.read_trials()
    found = build_report(
        store.folder.name,
        records,
        store.read_costs(),
        store.read_predictions,
        store.read_plan(),
        store.read_inputs(),
        store.read_primary(),
        store.read_seen(),
    )
    return as_scored(found, records)


def write_report(report: Report, folder: Path) -> tuple[Path, ...]:
    """Write all files of a report, each atomically.

    Args:
        report: what they say
        folder: the suite's results; gets trials.csv, and in report/ the comparison as Markdown,
            CSV and LaTeX, what is told class by class, the costs if there are any, and the figure
            if any row has a score

    Returns:
        What was written.
    """
    within = folder / REPORT
    figures = write_figures(report, within)
    texts = {
        within / "comparison.md": to_markdown(report, figures[0].name if figures else None),
        within / "comparison.csv": to_csv(comparison_frame(report)),
        within / "comparison.tex": to_latex(report),
    }
    if any(row.classes for row in report.rows):
        texts[within / "per_class.md"] = per_class_markdown(report)
        texts[within / "per_class.csv"] = to_csv(per_class_frame(report))
        texts[within / "per_class.tex"] = per_class_latex(report)
    if report.costs:
        texts[within / "costs.csv"] = to_csv(costs_frame(report))
        texts[within / "costs.md"] = costs_markdown(report)
    texts[folder / "trials.csv"] = to_csv(trials_frame(report))
    for path, text in texts.items():
        write_text(path, text)
    return (*texts, *figures)


def print_report(
    report: Report, console: Console, view: TableView = EVERYTHING, *, per_class: bool = False
) -> None:
    """Print the comparison, or the costs where nothing else was measured.

    Tables fit the terminal. A log has 100 columns, or as many as $COLUMNS says; its notes stay
    whole lines.

    Args:
        report: what is printed
        console: where to
        view: which rows and columns of the comparison
        per_class: how well each class is recognised, too
    """
    width = _width(console)
    if report.costs and not report.trials:
        parts = [*cost_parts(report, width)]
    else:
        parts = [*comparison_parts(report, view, width)]
        parts += per_class_parts(report, view, width) if per_class else []
    _print(parts, console)


def print_ranking(ranking: Ranking, console: Console) -> None:
    """Print which rows of a corpus are better than which others."""
    _print([*ranking_parts(ranking, _width(console))], console)


def print_over_corpora(found: OverCorpora, console: Console) -> None:
    """Print the order of rows over many corpora."""
    _print([*over_corpora_parts(found, _width(console))], console)


def write_critical_differences(found: OverCorpora, folder: Path) -> tuple[Path, ...]:
    """Write the diagram of mean ranks to the report of a suite's results."""
    return save_figure(lambda: critical_differences(found), folder / REPORT, "mean_ranks")


def _width(console: Console) -> int:
    sized = console.is_terminal or "COLUMNS" in os.environ
    return console.width if sized else _LOG_COLUMNS


def _print(parts: Sequence[TerminalPart], console: Console) -> None:
    for part in parts:
        console.print(part.text, soft_wrap=part.table or not console.is_terminal)
