"""Scores on test: of the trials of a group, of guessing, and how far they scatter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from harness.results.inference.delete_one import DeleteOne, delete_one
from harness.results.inference.score_intervals import Interval, score_interval
from harness.results.records import Record
from harness.results.statistics import spread
from harness.specs import Trial
from harness.tasks import TASKS
from harness.tasks.scores import SplitScores
from harness.tasks.task import metric_names

Predictions = Callable[[Record], pd.DataFrame]
"""Reads the predictions of a trial id; FileNotFoundError where there are none."""


@dataclass(frozen=True)
class GroupScore:
    """One metric over the trials of a group; None where there are too few to know."""

    mean: float
    spread_folds: float | None
    """Standard deviation over folds of the means over seeds."""
    spread_seeds: float | None
    """Standard deviation over seeds of the means over folds."""
    interval: Interval | None = None
    """95 %, of the mean with other speakers and, from two seeds on, trained anew."""
    evidence: DeleteOne | None = field(default=None, compare=False, repr=False)
    """What the interval rests on; None with it."""


def group_scores(records: Sequence[Record], predictions: Predictions) -> dict[str, GroupScore]:
    """Every metric of some trials that ended well and differ in fold and seed alone.

    Args:
        records: the outcomes; without any there are no scores
        predictions: gives the saved predictions of a trial, on which the intervals rest
    """
    return _summarised(scores_on_test(records), _evidence(records, predictions), records)


def baseline_scores(found: Iterable[tuple[Trial, SplitScores]]) -> dict[str, GroupScore]:
    """Every metric of guessing, or of probes.

    Args:
        found: for each test split a trial on it, and what guessing scores there
    """
    rows = [{"fold": trial.fold, "seed": 0} | metrics_of(trial, scores) for trial, scores in found]
    return _summarised(pd.DataFrame(rows), {}, ())


def metrics_of(trial: Trial, scores: SplitScores) -> dict[str, float | None]:
    """The scores of one split that the trial's task names, in its order."""
    return {name: scores.value(name) for name in metric_names(TASKS[trial.task].metrics)}


def scores_on_test(records: Iterable[Record]) -> pd.DataFrame:
    """One row a trial that ended well: `fold`, `seed` and every metric of its task on test."""
    return _scores_on("test", records)


def _scores_on(split: str, records: Iterable[Record]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"fold": record.trial.fold, "seed": record.trial.seed}
            | metrics_of(record.trial, record.metrics[split])
            for record in records
        ]
    )


def score_on_dev(records: Sequence[Record], metric: str | None = None) -> float | None:
    """A metric on dev: the mean over folds of the means over seeds.

    Args:
        records: that ended well
        metric: the headline of the task when left out
    """
    known = [record for record in records if "dev" in record.metrics]
    if not known:
        return None
    name = metric or TASKS[known[0].trial.task].headline
    return spread(_scores_on("dev", known), name).mean


def predictions_on_test(
    records: Iterable[Record], predictions: Predictions
) -> list[list[pd.DataFrame]]:
    """Of each fold, the predictions of its seeds on test.

    Raises:
        FileNotFoundError: a trial left none.
    """
    by_fold: dict[int, list[pd.DataFrame]] = {}
    for record in records:
        frame = predictions(record)
        by_fold.setdefault(record.trial.fold, []).append(frame[frame["split"] == "test"])
    return list(by_fold.values())


def _summarised(
    scores: pd.DataFrame, evidence: Mapping[str, DeleteOne], records: Sequence[Record]
) -> dict[str, GroupScore]:
    shares = {m.name: m.share for r in records[:1] for m in TASKS[r.trial.task].metrics}
    summarised: dict[str, GroupScore] = {}
    for metric in [str(name) for name in scores.columns if name not in ("fold", "seed")]:
        over, known = spread(scores, metric), evidence.get(metric)
        interval = score_interval(known, share=shares[metric]) if known else None
        summarised[metric] = GroupScore(over.mean, over.folds, over.seeds, interval, known)
    return summarised


def _evidence(records: Sequence[Record], predictions: Predictions) -> dict[str, DeleteOne]:
    try:
        by_fold = predictions_on_test(records, predictions)
    except FileNotFoundError:
        # an interval over part of the trials would not belong to their mean
        return {}
    return delete_one(by_fold, TASKS[records[0].trial.task]) if by_fold else {}
