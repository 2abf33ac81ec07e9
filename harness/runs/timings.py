"""What a run took, beside what it was expected to take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.profiling.estimation.estimate_text import comparison, to_json, total_of
from harness.profiling.estimation.forecast import Amount
from harness.profiling.estimation.suite_estimate import Estimate


@dataclass
class RunTimings:
    """Grows by one corpus × backbone after another, in the order of the estimates."""

    estimates: Sequence[Estimate] = ()
    """Empty if none was asked for."""
    device_name: str = ""
    write: Callable[[str], None] | None = None
    """Keeps estimate.json, where there is an estimate."""
    taken: list[Amount] = field(default_factory=list)

    def add(self, amount: Amount) -> None:
        """Note what the next corpus × backbone took."""
        self.taken.append(amount)
        if self.estimates and self.write:
            self.write(to_json(self.estimates, self.taken, self.device_name))

    def line(self) -> str:
        """Estimate, where there is one, and truth side by side."""
        taken = sum(self.taken, Amount())
        return comparison(total_of(self.estimates) if self.estimates else None, taken)
