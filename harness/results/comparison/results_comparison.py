"""Everything that two results folders have in common, compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.config.trial_names import PLAIN_NAMES, TrialNames
from harness.data.readers.audio_files import shortened
from harness.errors import ResultsError
from harness.results.comparison.change import Change
from harness.results.comparison.cost_changes import (
    CostPairs,
    counted_changes,
    measured_changes,
    pair_costs,
)
from harness.results.comparison.score_changes import quality_changes
from harness.results.comparison.trial_pairs import TrialPair, TrialPairs, pair, same_test_set
from harness.results.current_inputs import stale_trials
from harness.results.records import CostRecord, Record
from harness.results.store import ResultsStore


@dataclass(frozen=True)
class ResultsComparison:
    """BASE and HEAD side by side."""

    trials: TrialPairs
    other_test: tuple[TrialPair, ...]
    """Those of the pairs whose scores are not compared: they are of other utterances."""
    stale: tuple[str, ...]
    """Trials that are left out since they rest on other data or weights than lay there last."""
    quality: tuple[Change, ...]
    costs: CostPairs
    counted: tuple[Change, ...]
    """Parameters, frames and FLOPs, which every machine counts alike."""
    measured: tuple[Change, ...]
    refusal: str | None
    """Why some of what was measured is not compared."""
    names: TrialNames = PLAIN_NAMES
    """What the trials of both are called."""

    @property
    def changes(self) -> tuple[Change, ...]:
        """All of them."""
        return self.quality + self.counted + self.measured


def compare(
    base: ResultsStore, head: ResultsStore, *, across_machines: bool = False
) -> ResultsComparison:
    """Compare two suites' results.

    Args:
        base: how it was
        head: how it is
        across_machines: compare speeds and memory even if unlike devices measured them

    Raises:
        ResultsError: they have neither a finished trial nor a cost in common.
    """
    records = base.read_trials(), head.read_trials()
    names = TrialNames.among(record.trial for own in records for record in own)
    before, base_stale = _current(base, records[0], names)
    after, head_stale = _current(head, records[1], names)
    trials = pair(before, after)
    predictions = base.read_predictions, head.read_predictions
    fitting = [(pair, same_test_set(pair, *predictions)) for pair in trials.both]
    alike = [pair for pair, fits in fitting if fits]
    other_test = tuple(pair for pair, fits in fitting if not fits)
    quality = tuple(quality_changes(alike, *predictions))
    old, new = base.read_costs(), head.read_costs()
    costs = pair_costs(old, new, any_device=True)
    if not trials.both and not costs.both:
        raise ResultsError(
            "BASE and HEAD have no trial and no cost in common: "
            f"{base.folder} holds {_held(before, old)}; {head.folder} holds {_held(after, new)}"
        )
    same_device = pair_costs(old, new, any_device=across_machines)
    refusal = None
    if left_out := len(costs.both) - len(same_device.both):
        refusal = (
            f"speed, memory and energy of {left_out} costs are not compared, as unlike machines "
            f"measured them ({', '.join(costs.devices)}); --across-machines compares them all the "
            "same"
        )
    counted, measured = tuple(counted_changes(costs)), tuple(measured_changes(same_device))
    stale = (*(f"BASE: {name}" for name in base_stale), *(f"HEAD: {name}" for name in head_stale))
    return ResultsComparison(
        trials, other_test, stale, quality, costs, counted, measured, refusal, names
    )


def _current(
    store: ResultsStore, records: Sequence[Record], names: TrialNames
) -> tuple[list[Record], list[str]]:
    """The records that rest on what lay there last, and the names of the other trials."""
    stale = stale_trials(records, store.read_inputs())
    return (
        [record for record in records if record.trial_id not in stale],
        [names.of(record.trial) for record in records if record.trial_id in stale],
    )


def _held(records: Sequence[Record], costs: Sequence[CostRecord]) -> str:
    """What a folder has that could be compared, in few words."""
    done = [record.trial for record in records if record.status == "ok"]
    corpora, backbones = (
        shortened(sorted({str(getattr(trial, part).name) for trial in done}))
        for part in ("corpus", "backbone")
    )
    of_trials = f" (of {backbones} on {corpora})" if done else ""
    measured = sorted({cost.trial.backbone.name for cost in costs})
    of_costs = f" (of {shortened(measured)})" if measured else ""
    return f"{len(done)} finished trials{of_trials} and {len(costs)} costs{of_costs}"
