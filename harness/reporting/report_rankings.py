"""The rows of a report, ranked corpus by corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness.reporting.report_model import ReportRow
from harness.results.group_scores import score_on_dev
from harness.results.ranking import Contender, Ranking, rank
from harness.results.trial_groups import TrialGroup
from harness.tasks import TASKS
from harness.tasks.task import Metric


def rankings_of(
    groups: Sequence[TrialGroup], rows: Sequence[ReportRow], primary: str | None
) -> tuple[Ranking, ...]:
    """A ranking for each corpus and task that has two rows or more, and a metric with intervals.

    Args:
        groups: of trials
        rows: what is said of each of them
        primary: the metric that ranks; the headline of the task when left out
    """
    return tuple(_rankings(list(zip(groups, rows, strict=True)), primary))


def with_rank_groups(
    rows: Sequence[ReportRow], rankings: Sequence[Ranking]
) -> tuple[ReportRow, ...]:
    """The rows with the letters that their rankings give them."""
    found = {
        (ranking.corpus, ranking.task, ranked.name): ranked.group
        for ranking in rankings
        for ranked in ranking.rows
    }
    return tuple(
        replace(row, rank_group=found.get((row.corpus, row.task, row.name))) for row in rows
    )


def _rankings(
    found: Sequence[tuple[TrialGroup, ReportRow]], primary: str | None
) -> Iterator[Ranking]:
    for corpus, task in dict.fromkeys((row.corpus, row.task) for _, row in found):
        metric = TASKS[task].metric(primary or TASKS[task].headline)
        own = [(group, row) for group, row in found if (row.corpus, row.task) == (corpus, task)]
        if metric.has_interval and len(own) > 1:
            contenders = [_contender(group, row, metric) for group, row in own]
            yield rank(corpus, task, metric, contenders)


def _contender(group: TrialGroup, row: ReportRow, metric: Metric) -> Contender:
    return Contender(
        row.name,
        row.scores.get(metric.name),
        score_on_dev(group.finished, metric.name),
        incomplete=row.trials < row.planned,
    )
