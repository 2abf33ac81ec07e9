"""The columns of a verdict: of rows in their order, of pairs, and of ranks over corpora."""

from __future__ import annotations

from collections.abc import Sequence

from harness.reporting.columns import Column
from harness.reporting.formats import Format, decimal, interval_text, percent, plain
from harness.results.inference.difference_tests import EXACT_SPEAKERS
from harness.results.ranking import Pair, RankedRow, Ranking
from harness.tasks.task import Metric

_VERDICTS = {"better": "yes", "alike": "alike", "unsure": "no", "one seed": "?"}

RANK_COLUMNS = (
    Column("row", str, title="Row", value=lambda row: row[0]),
    Column("rank", float, title="Mean rank", value=lambda row: row[1], format=lambda r: f"{r:.2f}"),
)
"""Of rows and their mean ranks over corpora."""


def row_columns(metric: Metric) -> Sequence[Column]:
    """Of ranked rows."""
    number = number_of(metric)
    return (
        Column("group", str, title="Group"),
        Column("name", str, title="Row"),
        Column("score", float, title=metric.title, format=number, value=lambda r: r.score.mean),
        Column(
            "interval",
            str,
            title="95 %",
            format=interval_text(number),
            value=lambda row: row.score.interval,
        ),
        Column("dev_score", float, title="Dev", format=number),
        Column("best", float, title="Best %", format=percent),
        Column("rank", str, title="Rank", value=_rank),
    )


def pair_columns(ranking: Ranking) -> Sequence[Column]:
    """Of pairs of rows."""
    number = number_of(ranking.metric)
    columns = [
        Column("one", str, title="Better"),
        Column("other", str, title="Other"),
        Column("difference", float, title="By", format=number, value=lambda p: p.test.difference),
        Column("ends", str, title="95 %", value=lambda pair: ends_of(pair, number)),
        Column("p", float, title="p", format=_two_digits),
        Column("flips", float, title="Sign flips", format=_two_digits, value=_flips),
        Column("effect", float, title="Effect", format=_two, value=lambda p: p.test.effect),
        Column("detectable", float, title="Detects", format=number, value=_detectable),
        Column("real", str, title="Real", value=lambda pair: _VERDICTS[pair.verdict]),
    ]
    flips = ranking.speakers <= EXACT_SPEAKERS
    return [column for column in columns if flips or column.name != "flips"]


def number_of(metric: Metric) -> Format:
    """How its values are written."""
    return percent if metric.share else decimal


def ends_of(pair: Pair, number: Format) -> str:
    """The interval of a difference."""
    interval = pair.test.interval
    return f"[{number(interval.low)}, {number(interval.high)}]"


def _rank(row: RankedRow) -> str:
    return str(row.first) if row.first == row.last else f"{row.first} to {row.last}"


def _flips(pair: Pair) -> float | None:
    return pair.test.sign_flip_p


def _detectable(pair: Pair) -> float:
    return pair.test.detectable


def _two_digits(value: float | None) -> str:
    return plain(None) if value is None else f"{value:.2g}"


def _two(value: float | None) -> str:
    return plain(None) if value is None else f"{value:.2f}"
