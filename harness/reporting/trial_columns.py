"""The columns of trials.csv: one row a trial, scores on test, nothing invented."""

from __future__ import annotations

from collections.abc import Iterable

from harness.reporting.columns import Column, within
from harness.reporting.report_model import Report, TrialRow
from harness.reporting.score_columns import dev_columns, headline, metric_column, metrics_of_tasks
from harness.reporting.shared_columns import (
    BACKBONE,
    CORPUS,
    FINETUNE_LAYERS,
    TOTAL,
    TRAINABLE,
    TRIAL_COST_FACTS,
    TRIAL_PEAKS,
    TRIAL_SPEEDS,
)
from harness.results.cost_matching import TrialCost
from harness.results.failures import error_line
from harness.results.probe_check import probe_score, under_probe
from harness.results.records import Fit, Record
from harness.specs import Trial
from harness.tasks import TASKS
from harness.tasks.scores import SplitScores
from harness.tasks.task import Metric


def trial_columns(report: Report) -> tuple[Column, ...]:
    """All of them, in the order of trials.csv; those that every one has where there is no trial.

    Speeds and peaks are those of the cost pass of the trial's backbone × finetune_layers;
    `fit_wall_s` is how long learning took, which is no speed of a backbone.
    """
    if not report.trials:
        return _always(TASKS)
    tasks = dict.fromkeys(row.record.trial.task for row in report.trials)
    always = _always(tasks)
    known = {column.name for column in always}
    axes = [_axis(name) for name in report.trials[0].settings if name not in known]
    return (*always, *_dev(tasks), *_more(tasks), *axes)


def _record(row: TrialRow) -> Record:
    return row.record


def _trial(row: TrialRow) -> Trial:
    return row.record.trial


def _fit(row: TrialRow) -> Fit | None:
    return row.record.fit


def _test(row: TrialRow) -> SplitScores | None:
    return row.record.metrics.get("test")


def _cost(row: TrialRow) -> TrialCost | None:
    return row.cost


def _metric(metric: Metric) -> Column:
    # a trial of another task does not have it
    return metric_column(metric).read(lambda scores: getattr(scores, metric.name, None))


def _always(tasks: Iterable[str]) -> tuple[Column, ...]:
    """The columns that every trials.csv begins with."""
    return (
        *within(_record, Column("trial_id", str), Column("status", str)),
        CORPUS.read(lambda row: row.record.trial.corpus.name),
        *within(_trial, Column("fold", int)),
        BACKBONE.read(lambda row: row.record.trial.backbone.name),
        *within(_trial, FINETUNE_LAYERS, Column("loss", str), Column("seed", int)),
        *within(_test, *map(_metric, metrics_of_tasks(tasks))),
        *within(_cost, *TRIAL_SPEEDS, *TRIAL_PEAKS),
        *within(_record, TRAINABLE, TOTAL, Column("wall_s", float, "s")),
    )


def _dev(tasks: Iterable[str]) -> tuple[Column, ...]:
    def score(row: TrialRow) -> float | None:
        scores = row.record.metrics.get("dev")
        return scores.value(headline(row.record.trial.task).name) if scores else None

    return tuple(column.read(score) for column in dev_columns(tuple(tasks)))


def _more(tasks: Iterable[str]) -> tuple[Column, ...]:
    """The columns that follow, but for the axes."""
    return (
        *within(_record, Column("head_parameters", int, "parameters")),
        *within(
            _test,
            *map(
                _metric, dict.fromkeys(detail for task in tasks for detail in TASKS[task].details)
            ),
        ),
        *within(
            _fit,
            Column("fit_wall_s", float, "s"),
            Column("best_epoch", int),
            Column("stopped", str),
            Column("setting", str),
            Column("frames_from", str),
        ),
        *within(
            _record,
            Column("probe", float, "share", value=probe_score),
            Column("under_probe", bool, value=lambda record: under_probe([record])),
        ),
        *within(_record, Column("random_weights", bool), Column("limited_data", bool)),
        *within(_trial, Column("limit_utterances", int)),
        *within(_record, Column("partial_corpus", bool), Column("speaker_overlap", bool)),
        *within(
            _cost, *TRIAL_COST_FACTS, Column("cost_unstable", bool, value=lambda c: c.unstable)
        ),
        *within(_record, Column("started_at", str), Column("error", str, value=error_line)),
        Column("stale", str, value=lambda row: ", ".join(row.stale) or None),
    )


def _axis(name: str) -> Column:
    return Column(name, object, value=lambda row: row.settings[name])
