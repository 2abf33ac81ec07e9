"""The columns of a metric, as the table of tasks describes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Literal

from harness.reporting.columns import Column, Unit, within
from harness.reporting.formats import decimal, interval_text, percent
from harness.reporting.report_model import BaselineRow, ReportRow
from harness.results.group_scores import GroupScore
from harness.results.inference.score_intervals import Interval
from harness.tasks import TASKS
from harness.tasks.task import Metric


def metrics_of_tasks(tasks: Iterable[str]) -> tuple[Metric, ...]:
    """The metrics of these tasks in their order, each once."""
    return tuple(dict.fromkeys(metric for task in tasks for metric in TASKS[task].metrics))


def metric_column(metric: Metric) -> Column:
    """A metric, of rows that have it as an attribute."""
    unit: Unit = "share" if metric.share else ""
    better: Literal["high", "low"] = "high" if metric.higher_is_better else "low"
    number = percent if metric.share else decimal
    return Column(metric.name, float, unit, metric.title, number, part="scores", better=better)


def score_columns(metric: Metric) -> tuple[Column, ...]:
    """A metric's mean, its spreads over folds and seeds, and the ends of its interval if any."""
    number = percent if metric.share else decimal
    mean = metric_column(metric).read(attrgetter("mean"))
    # people read both ends of the interval in one field
    low = replace(_part(metric, "low"), title=f"{metric.title} 95 %")
    low = replace(low, format=interval_text(number), displayed=_itself)
    spreads = (
        replace(_part(metric, "spread_folds"), title=f"{metric.title} ± folds", better="low"),
        replace(_part(metric, "spread_seeds"), title=f"{metric.title} ± seeds", better="low"),
    )
    ends = (low, _part(metric, "high")) if metric.has_interval else ()

    def score(row: ReportRow | BaselineRow) -> GroupScore | None:
        return row.scores.get(metric.name)

    def interval(row: ReportRow | BaselineRow) -> Interval | None:
        found = score(row)
        return found.interval if found else None

    return (*within(score, mean, *spreads), *within(interval, *ends))


def dev_columns(tasks: Sequence[str]) -> tuple[Column, ...]:
    """The headline on dev, of rows that have it."""
    metrics = dict.fromkeys(map(headline, tasks))
    title = " or ".join(f"Dev {metric.title}" for metric in metrics) or "Dev"
    share = all(metric.share for metric in metrics)
    number = percent if share else decimal
    unit: Unit = "share" if share else ""
    return (Column("dev_score", float, unit, title, number, part="scores", better="high"),)


def headline(task: str) -> Metric:
    """The metric of a task that figures and verdicts show."""
    return TASKS[task].metric(TASKS[task].headline)


def headline_interval(metric: Metric) -> tuple[str, ...]:
    """The name of the column that displays the interval of a task's headline; none for others."""
    is_headline = metric in map(headline, TASKS)
    return (f"{metric.name}_low",) if is_headline and metric.has_interval else ()


def _part(metric: Metric, attribute: str) -> Column:
    name = f"{metric.name}_{attribute}"
    return replace(metric_column(metric), name=name, title="", value=attrgetter(attribute))


def _itself(row: object) -> object:
    return row
