"""From a results folder to its report: computed, written, and ready to be printed."""

from __future__ import annotations

import pandas as pd
from rich.console import Console

from harness.reporting.comparison_table import comparison, failures
from harness.reporting.cost_tables import costs_markdown, write_costs
from harness.reporting.figures import write_figures
from harness.reporting.text_tables import to_markdown, to_rich, write_report, write_trials
from harness.reporting.trials_table import trials_frame
from harness.results.store import ResultsStore


def show_report(store: ResultsStore, console: Console) -> pd.DataFrame:
    """Write trials.csv and report/ anew from the records, and print the comparison it returns.

    A terminal gets tables of its width; a log gets the Markdown, whose lines stay whole. Where
    nothing but costs was measured, they are printed instead.
    """
    records, costs = store.read_trials(), store.read_costs()
    table = comparison(records, costs, store.read_predictions, store.read_plan())
    failed = failures(records)
    title = store.folder.name
    write_trials(store.folder, trials_frame(records, costs))
    figures = write_figures(store.folder, table)
    written = write_report(store.folder, table, failed, title, figures[0].name if figures else None)
    written += write_costs(store.folder, costs) if costs else ()
    if costs and not records:
        console.print(costs_markdown(costs), markup=False, soft_wrap=True)
    elif console.is_terminal:
        console.print(to_rich(table, failed, title))
    else:
        console.print(to_markdown(table, failed, title), markup=False, soft_wrap=True)
    console.print(
        f"written: {', '.join(str(path) for path in (*written, *figures))}", soft_wrap=True
    )
    return table
