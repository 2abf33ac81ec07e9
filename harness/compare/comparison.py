"""Everything that two results folders have in common, compared."""

from __future__ import annotations

from dataclasses import dataclass

from harness.compare.change import Change
from harness.compare.cost import counted_changes, machines, measured_changes, pair_costs
from harness.compare.pairs import Pairs, pair
from harness.compare.quality import quality_changes
from harness.records.store import Store


@dataclass(frozen=True)
class Comparison:
    """BASE and HEAD side by side."""

    trials: Pairs
    quality: tuple[Change, ...]
    counted: tuple[Change, ...]
    """Parameters, frames and FLOPs, which every machine counts alike."""
    measured: tuple[Change, ...]
    refusal: str | None
    """Why nothing that was measured is compared."""

    @property
    def changes(self) -> tuple[Change, ...]:
        """All of them."""
        return self.quality + self.counted + self.measured


def compare(base: Store, head: Store, *, across_machines: bool = False) -> Comparison:
    """Compare two suites' results.

    Args:
        base: how it was
        head: how it is
        across_machines: compare speeds and memory even if unlike devices measured them
    """
    trials = pair(base.read_trials(), head.read_trials())
    quality = tuple(quality_changes(trials.both, base.read_predictions, head.read_predictions))
    costs = pair_costs(base.read_costs(), head.read_costs())
    devices = machines(costs)
    refusal = None
    if len(devices) > 1 and not across_machines:
        refusal = (
            f"speeds, memory and energy are not compared, as unlike machines measured them "
            f"({', '.join(devices)}); --across-machines compares them all the same"
        )
    measured = () if refusal else tuple(measured_changes(costs))
    return Comparison(trials, quality, tuple(counted_changes(costs)), measured, refusal)
