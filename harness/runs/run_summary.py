"""What became of a run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from harness.config.trial_names import PLAIN_NAMES, TrialNames
from harness.errors import TrialError
from harness.results.failures import error_line, failures
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
    names: TrialNames = PLAIN_NAMES
    """What its trials are called."""
    timings: RunTimings | None = None
    """What it took, beside what was estimated; None if no trial was left to do."""

    @property
    def failed(self) -> int:
        """How many trials and measurements did not end well."""
        statuses = [r.status for r in self.records] + [c.status for c in self.costs]
        return sum(status != "ok" for status in statuses)

    def line(self) -> str:
        """One line for the end of a run."""
        statuses = Counter(record.status for record in self.records)
        fine = statuses.pop("ok", 0)
        well = sum(cost.status == "ok" for cost in self.costs)
        ended = "".join(f", {count} {status}" for status, count in sorted(statuses.items()))
        trials = (
            f"{fine} of {len(self.records)} trials ok ({self.reused} of them from before){ended}"
        )
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
            named = [failure.line() for failure in failures(self.records, self.names)]
            named += [
                f"cost of {cost.trial.describe()}: {cost.status}: {error_line(cost)}"
                for cost in self.costs
                if cost.status != "ok"
            ]
            raise TrialError("\n".join([f"not everything ended well: {self.line()}", *named]))
        if must_beat_majority and (short := shortfalls(self.records)):
            raise TrialError("; ".join(short))
