"""What the parts of a run share, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.progress import Reporter
from harness.results.records import CostRecord, Record
from harness.results.store import ResultsStore
from harness.runs.estimate_tracking import Truth
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.tracking.tracker_processes import Tracking
from harness.specs import Suite


@dataclass
class RunSummary:
    """What became of a run's trials and cost measurements."""

    records: list[Record] = field(default_factory=list)
    costs: list[CostRecord] = field(default_factory=list)
    reused: int = 0
    measured: int = 0
    """How many of the costs were measured now."""
    truth: Truth | None = None
    """What it was expected to take, and took; None if nothing was left to do."""

    @property
    def failed(self) -> int:
        """How many trials and measurements did not end well."""
        statuses = [r.status for r in self.records] + [c.status for c in self.costs]
        return sum(status != "ok" for status in statuses)

    def line(self) -> str:
        """One line for the end of a run."""
        fine = sum(record.status == "ok" for record in self.records)
        well = sum(cost.status == "ok" for cost in self.costs)
        trials = f"{fine} of {len(self.records)} trials ok ({self.reused} of them from before)"
        costs = f"{well} of {len(self.costs)} costs measured"
        parts = [trials] * bool(self.records) + [costs] * bool(self.costs)
        text = ", ".join(parts) or "nothing was to be done"
        return f"{text}; {self.truth.line()}" if self.truth else text


@dataclass(frozen=True)
class Run:
    """A suite on its way: where it writes, whom it tells, and what has become of it so far."""

    suite: Suite
    store: ResultsStore
    reporter: Reporter
    machine: RuntimeOptions
    tracking: Tracking
    summary: RunSummary
