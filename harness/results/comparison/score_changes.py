"""How far the scores of groups of trials changed, with the confidence of the difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.results.comparison.change import Change
from harness.results.comparison.trial_pairs import TrialPair
from harness.results.group_scores import Predictions, predictions_on_test, scores_on_test
from harness.results.records import Record
from harness.results.statistics import Interval, differences, spread
from harness.results.trial_groups import TrialGroup, group_trials
from harness.tasks import TASKS
from harness.tasks.task import metric_names


def quality_changes(
    pairs: Sequence[TrialPair], base: Predictions, head: Predictions
) -> Iterator[Change]:
    """One change for each metric of each group, over the trials that both folders have."""
    partner = {pair.base.trial_id: pair.head for pair in pairs}
    for group in group_trials([pair.base for pair in pairs]):
        before = group.finished
        after = [partner[record.trial_id] for record in before]
        found = _intervals(before, after, base, head)
        scores = scores_on_test(before), scores_on_test(after)
        for metric in metric_names(TASKS[group.task].metrics):
            old, new = (spread(own, metric).mean for own in scores)
            interval = found.get(metric)
            real = None if interval is None else not interval.low <= 0 <= interval.high
            text = _interval_text(interval)
            yield Change(_described(group), metric, old, new, real, text, interval)


def _described(group: TrialGroup) -> str:
    axes = "".join(f" · {name} {value}" for name, value in group.axes.items())
    return f"{group.corpus} · {group.backbone} · {group.finetune_layers} layers{axes}"


def _intervals(
    before: Sequence[Record], after: Sequence[Record], base: Predictions, head: Predictions
) -> dict[str, Interval]:
    """Of the differences; empty where predictions are missing or there is but one speaker."""
    try:
        return (
            differences(
                predictions_on_test(before, base),
                predictions_on_test(after, head),
                TASKS[before[0].trial.task],
            )
            or {}
        )
    except (FileNotFoundError, ValueError):  # ValueError: the classes are no longer the same
        return {}


def _interval_text(interval: Interval | None) -> str:
    return "" if interval is None else f"95 %: [{interval.low:+.3f}, {interval.high:+.3f}]"
