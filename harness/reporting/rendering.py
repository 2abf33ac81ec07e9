"""From a results folder to its report: read, written to files, printed; each on its own."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from harness.files import write_text
from harness.reporting.confusion_text import confusions_markdown
from harness.reporting.cost_tables import costs_markdown
from harness.reporting.csv_text import to_csv
from harness.reporting.data_frames import comparison_frame, costs_frame, trials_frame
from harness.reporting.figures import write_figures
from harness.reporting.report_building import build_report
from harness.reporting.report_model import Report
from harness.reporting.scoring_text import as_scored
from harness.reporting.text_tables import to_latex, to_markdown, to_rich
from harness.results.store import REPORT, ResultsStore


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
            CSV and LaTeX, classes that are confused, the costs if there are any, and the figure
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
    if confusions := confusions_markdown(report):
        texts[within / "confusion.md"] = confusions
    if report.costs:
        texts[within / "costs.csv"] = to_csv(costs_frame(report))
        texts[within / "costs.md"] = costs_markdown(report)
    texts[folder / "trials.csv"] = to_csv(trials_frame(report))
    for path, text in texts.items():
        write_text(path, text)
    return (*texts, *figures)


def print_report(report: Report, console: Console) -> None:
    """Print the comparison, or the costs where nothing else was measured.

    A terminal gets tables of its width; a log gets the Markdown, whose lines stay whole.
    """
    if report.costs and not report.trials:
        console.print(costs_markdown(report), markup=False, soft_wrap=True)
    elif console.is_terminal:
        console.print(to_rich(report))
    else:
        console.print(to_markdown(report), markup=False, soft_wrap=True)
