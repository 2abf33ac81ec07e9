"""What each backbone costs at each depth, duration and batch size, for reading."""

from __future__ import annotations

from harness.reporting.cost_columns import SIZE_COLUMNS, SPEED_COLUMNS, measured_workloads
from harness.reporting.report_model import Report
from harness.reporting.tables import grid


def costs_markdown(report: Report) -> str:
    """A table of speeds, one of sizes, and what qualifies them."""
    measured = [cost for cost in report.costs if cost.status == "ok"]
    parts = [
        "# Costs",
        grid(measured_workloads(report.costs), SPEED_COLUMNS),
        grid(measured, SIZE_COLUMNS),
        "\n".join(f"- {note}" for note in report.cost_footnotes),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
