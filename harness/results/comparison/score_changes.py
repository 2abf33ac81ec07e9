"""How far the scores of groups of trials changed, and whether that is more than noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.results.comparison.change import Change
from harness.results.comparison.trial_pairs import TrialPair
from harness.results.group_scores import Predictions, predictions_on_test, scores_on_test
from harness.results.inference.delete_one import delete_one
from harness.results.inference.difference_tests import LEVEL, PairedDifference, paired_difference
from harness.results.inference.multiple_tests import holm
from harness.results.records import Record
from harness.results.statistics import spread
from harness.results.trial_groups import TrialGroup, group_trials
from harness.tasks import TASKS
from harness.tasks.task import metric_names


@dataclass(frozen=True)
class _Scored:
    what: str
    metric: str
    base: float
    head: float
    tested: PairedDifference | None


def quality_changes(
    pairs: Sequence[TrialPair], base: Predictions, head: Predictions
) -> list[Change]:
    """One change for each metric of each group, over the trials that both folders have.

    The groups of a metric are one family of tests: their p are corrected after Holm. Of trials with
    one seed it is not known whether a change is real, since training again changes scores too.
    """
    partner = {pair.base.trial_id: pair.head for pair in pairs}
    found = [
        scored
        for group in group_trials([pair.base for pair in pairs])
        for scored in _scored(group, [partner[r.trial_id] for r in group.finished], base, head)
    ]
    corrected = {
        metric: iter(holm([s.tested.p for s in found if s.metric == metric and s.tested]))
        for metric in dict.fromkeys(scored.metric for scored in found)
    }
    return [_change(one, next(corrected[one.metric]) if one.tested else None) for one in found]


def _scored(
    group: TrialGroup, after: Sequence[Record], base: Predictions, head: Predictions
) -> list[_Scored]:
    before = group.finished
    tests = _tests(before, after, base, head)
    scores = scores_on_test(before), scores_on_test(after)
    what = f"{group.corpus} · {group.name}"
    found: list[_Scored] = []
    for metric in metric_names(TASKS[group.task].metrics):
        old, new = (spread(own, metric).mean for own in scores)
        found.append(_Scored(what, metric, old, new, tests.get(metric)))
    return found


def _change(scored: _Scored, p: float | None) -> Change:
    test, figures = scored.tested, (scored.what, scored.metric, scored.base, scored.head)
    if test is None or p is None:
        return Change(*figures, None, "")
    ends = f"95 %: [{test.interval.low:+.3f}, {test.interval.high:+.3f}]"
    same = scored.base == scored.head and test.interval.low == test.interval.high
    if not test.retrained and not same:
        return Change(*figures, None, f"{ends}, one seed", test.interval)
    return Change(*figures, p < LEVEL, f"{ends}, p = {p:.2g}", test.interval)


def _tests(
    before: Sequence[Record], after: Sequence[Record], base: Predictions, head: Predictions
) -> dict[str, PairedDifference]:
    """By metric; empty where predictions are missing or speakers too few or not known."""
    card = TASKS[before[0].trial.task]
    try:
        old = delete_one(predictions_on_test(before, base), card)
        new = delete_one(predictions_on_test(after, head), card)
        return {metric: paired_difference(new[metric], old[metric]) for metric in old}
    except (FileNotFoundError, ValueError, KeyError):  # the classes are no longer the same
        return {}
