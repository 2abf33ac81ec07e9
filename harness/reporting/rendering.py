"""From a results folder to its report: computed, written, and ready to be printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.console import Console

from harness.reporting.comparison_table import comparison, failures
from harness.reporting.cost_tables import costs_markdown, write_costs
from harness.reporting.figures import write_figures
from harness.reporting.text_tables import to_markdown, to_rich, write_comparison, write_trials
from harness.reporting.trials_table import trials_frame
from harness.results.records import CostRecord, Record
from harness.results.store import ResultsStore


@dataclass(frozen=True)
class Report:
    """To be replaced."""

    title: str
    table: pd.DataFrame
    failed: pd.DataFrame
    records: Sequence[Record]
    costs: Sequence[CostRecord]


def report_of(store: ResultsStore) -> Report:
    """Of a store."""
    records, costs = store.read_trials(), store.read_costs()
    table = comparison(records, costs, store.read_predictions, store.read_plan())
    return Report(store.folder.name, table, failures(records), records, costs)


def write_report(report: Report, folder: Path) -> tuple[Path, ...]:
    """Write it."""
    write_trials(folder, trials_frame(report.records, report.costs))
    figures = write_figures(folder, report.table)
    figure = figures[0].name if figures else None
    written = write_comparison(folder, report.table, report.failed, report.title, figure)
    written += write_costs(folder, report.costs) if report.costs else ()
    return (*written, *figures)


def print_report(report: Report, console: Console) -> None:
    """Print it."""
    if report.costs and not report.records:
        console.print(costs_markdown(report.costs), markup=False, soft_wrap=True)
    elif console.is_terminal:
        console.print(to_rich(report.table, report.failed, report.title))
    else:
        text = to_markdown(report.table, report.failed, report.title)
        console.print(text, markup=False, soft_wrap=True)
