"""Whether every backbone learned anything at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from harness.results.group_scores import scores_on_test
from harness.results.records import Record
from harness.results.statistics import spread
from harness.results.trial_groups import TrialGroup, group_trials
from harness.tasks import TASKS

MAJORITIES = ("majority", "test majority")
"""Always saying the class most frequent in train, and in test; older records lack the second."""


class _Verdict(NamedTuple):
    metric: str
    learned: float
    guessed: float


def shortfalls(records: Iterable[Record]) -> list[str]:
    """One line for each corpus and backbone whose best group does not beat the majority class.

    The score is that metric on test in which guessing the majority does best: of classes,
    accuracy.
    """
    by_backbone: dict[tuple[str, str], list[TrialGroup]] = {}
    for group in group_trials(records):
        by_backbone.setdefault((group.corpus, group.backbone), []).append(group)
    found = (_shortfall(*names, groups) for names, groups in by_backbone.items())
    return [line for line in found if line]


def _shortfall(corpus: str, backbone: str, groups: Sequence[TrialGroup]) -> str | None:
    verdicts = [_verdict(group) for group in groups if group.finished]
    if not verdicts:
        return f"{backbone} on {corpus}: no trial ended well"
    best = max(verdicts, key=lambda verdict: verdict.learned - verdict.guessed)
    if best.learned > best.guessed:
        return None
    return (
        f"{backbone} on {corpus}: {best.metric} {best.learned:.3f} does not beat guessing the "
        f"majority class, {best.guessed:.3f}"
    )


def _verdict(group: TrialGroup) -> _Verdict:
    learned = scores_on_test(group.finished)
    return max(
        (
            _Verdict(
                metric.name,
                spread(learned, metric.name).mean,
                spread(_guesses(group, metric.name), metric.name).mean,
            )
            for metric in TASKS[group.task].metrics
            if metric.share and metric.higher_is_better
        ),
        key=lambda verdict: verdict.guessed,
    )


def _guesses(group: TrialGroup, metric: str) -> pd.DataFrame:
    """What the better of both majorities scores in each trial."""
    return pd.DataFrame(
        [
            {
                "fold": record.trial.fold,
                "seed": record.trial.seed,
                metric: max(
                    getattr(record.baselines[name], metric)
                    for name in MAJORITIES
                    if name in record.baselines
                ),
            }
            for record in group.finished
            if record.baselines
        ]
    )
