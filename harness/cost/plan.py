"""Which costs a suite needs measured. No torch here."""

from __future__ import annotations

from collections.abc import Iterable

from harness.suite.schema import CostSpec, CostTrial, Trial


def cost_trials(trials: Iterable[Trial], cost: CostSpec | None) -> tuple[CostTrial, ...]:
    """One measurement for all trials that cost the same, in the order of the trials."""
    if cost is None:
        return ()
    return tuple(dict.fromkeys(CostTrial.of(trial, cost) for trial in trials))
