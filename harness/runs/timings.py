"""What a run took, beside what it was expected to take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.profiling.estimation.estimate_text import comparison, to_json, total_of
from harness.profiling.estimation.forecast import Amount
from harness.profiling.estimation.suite_estimate import Estimate


@dataclass
class RunTimings:
    """Of each corpus × backbone, whoever worked on it."""

    estimates: Sequence[Estimate] = ()
    """Empty if none was asked for."""
    device_name: str = ""
    write: Callable[[str], None] | None = None
    """Keeps estimate.json, where there is an estimate."""
    taken: dict[tuple[str, str], Amount] = field(default_factory=dict)
    """By the names of corpus and backbone."""

    def add(self, corpus: str, backbone: str, amount: Amount) -> None:
        """Note what a worker took for a corpus × backbone."""
        key = (corpus, backbone)
        self.taken[key] = self.taken.get(key, Amount()) + amount
        if self.estimates and self.write:
            self.write(to_json(self.estimates, self.taken, self.device_name))

    def line(self) -> str:
        """Estimate, where there is one, and truth side by side."""
        taken = sum(self.taken.values(), Amount())
        return comparison(total_of(self.estimates) if self.estimates else None, taken)
