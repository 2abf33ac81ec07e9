"""What became of a run."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.errors import TrialError
from harness.results.majority_check import shortfalls
from harness.results.records import CostRecord, Record
from harness.runs.timings import RunTimings


@dataclass
class RunSummary:
    """What became of a run's trials and cost measurements."""

    records: list[Record] = field(default_factory=list)
    costs: list[CostRecord] = field(default_factory=list)
    reused: int = 0
    measured: int = 0
    """How many of the costs were measured now."""
    timings: RunTimings | None = None
    """What it took, beside what was estimated; None if no trial was left to do."""

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
        return f"{text}; {self.timings.line()}" if self.timings else text

    def raise_for_failures(self, *, must_beat_majority: bool = False) -> None:
        """Do nothing if all ended well.

        Args:
            must_beat_majority: also demand that every backbone's best trials beat guessing the
                majority class

        Raises:
            TrialError: something failed, or a backbone learned nothing.
        """
        if self.failed:
            raise TrialError(f"not everything ended well: {self.line()}")
        if must_beat_majority and (short := shortfalls(self.records)):
            raise TrialError("; ".join(short))
