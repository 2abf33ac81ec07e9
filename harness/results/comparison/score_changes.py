"""How far the scores of cells changed, with the confidence of the difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.results.comparison.change import Change
from harness.results.comparison.trial_pairs import TrialPair
from harness.results.records import Record
from harness.results.statistics import METRICS, Interval, differences, spread
from harness.results.trial_groups import (
    Predictions,
    group_trials,
    predictions_on_test,
    scores_on_test,
)


def quality_changes(
    pairs: Sequence[TrialPair], base: Predictions, head: Predictions
) -> Iterator[Change]:
    """One change for each metric of each cell, over the trials that both folders have."""
    partner = {pair.base.trial_id: pair.head for pair in pairs}
    for cell in group_trials([pair.base for pair in pairs]):
        before = cell.finished
        after = [partner[record.trial_id] for record in before]
        axes = "".join(f" · {name} {value}" for name, value in cell.axes.items())
        what = f"{cell.corpus} · {cell.backbone} · {cell.finetune_layers} layers{axes}"
        certain = _intervals(before, after, base, head)
        scores = scores_on_test(before), scores_on_test(after)
        for metric in METRICS:
            old, new = (spread(own, metric).mean for own in scores)
            interval = certain.get(metric)
            real = None if interval is None else not interval.low <= 0 <= interval.high
            yield Change(what, metric, old, new, real, _shown(interval))


def _intervals(
    before: Sequence[Record], after: Sequence[Record], base: Predictions, head: Predictions
) -> dict[str, Interval]:
    """Of the differences; empty where predictions are missing or there is but one speaker."""
    try:
        return (
            differences(predictions_on_test(before, base), predictions_on_test(after, head)) or {}
        )
    except (FileNotFoundError, ValueError):  # ValueError: the classes are no longer the same
        return {}


def _shown(interval: Interval | None) -> str:
    return "" if interval is None else f"95 %: [{interval.low:+.3f}, {interval.high:+.3f}]"
