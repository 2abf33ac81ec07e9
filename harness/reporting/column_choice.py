"""Which columns of the comparison people read: those that decide, a part of them, or named ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.errors import UserError, choices
from harness.reporting.columns import Column, Part, not_empty, pick
from harness.reporting.comparison_columns import (
    CHOSEN,
    FLAGS,
    RANK_GROUP,
    comparison_columns,
    name_columns,
)
from harness.reporting.report_model import Report
from harness.reporting.score_columns import headline, headline_interval, metrics_of_tasks
from harness.reporting.shared_columns import CORPUS, PEAK_GPU, PEAK_RSS, TRAINABLE

DECIDING = "deciding"
_PARTS: dict[str, Part] = {"scores": "scores", "trials": "trials", "cost": "cost"}
COLUMN_GROUPS = (DECIDING, *_PARTS, "all")
"""Names under which people ask for several columns."""


@dataclass(frozen=True)
class DecidingColumns:
    """What is read first of a comparison."""

    names: tuple[Column, ...]
    """Which row it is."""
    scores: tuple[Column, ...]
    """The headline on test with its interval, and on dev; never left out."""
    costs: tuple[Column, ...]
    """Left out from the last on where a table is too narrow for them."""
    more: tuple[Column, ...]
    """Shown only where there is room to spare."""


def deciding_columns(report: Report) -> DecidingColumns:
    """Those that a choice between rows needs, without those that are empty."""
    headlines = tuple(dict.fromkeys(map(headline, report.tasks)))
    scores = [name for metric in headlines for name in (metric.name, *headline_interval(metric))]
    others = [metric.name for metric in metrics_of_tasks(report.tasks) if metric not in headlines]
    on_gpu = any(row.cost and row.cost.peak_gpu_bytes for row in report.rows)
    memory, other = (PEAK_GPU, PEAK_RSS) if on_gpu else (PEAK_RSS, PEAK_GPU)
    return DecidingColumns(
        names=named_columns(report),
        scores=_known(report, [*scores, RANK_GROUP.name, "dev_score"]),
        costs=_known(report, [TRAINABLE.name, "infer_audio_s_per_s", memory.name]),
        more=_known(report, [CHOSEN.name, *others, "train_audio_s_per_s", other.name]),
    )


def named_columns(report: Report) -> tuple[Column, ...]:
    """Which row it is: the corpus only where there are several."""
    several = len({row.corpus for row in report.rows}) > 1
    return tuple(c for c in name_columns(report) if several or c.name != CORPUS.name)


def columns_of_part(report: Report, part: Part) -> tuple[Column, ...]:
    """All that people read of it, without what is empty."""
    own = (column for column in comparison_columns(report) if column.title and column.part == part)
    return not_empty(own, report.rows_with_baselines())


def asked_columns(report: Report, asked: Sequence[str]) -> tuple[Column, ...]:
    """The columns of these names, in their order, beside those that say which row it is.

    Args:
        report: of which there are columns
        asked: names of `COLUMN_GROUPS`, whose empty columns are left out, or of comparison.csv

    Raises:
        UserError: there is none of a name.
    """
    known = {column.name: column for column in comparison_columns(report)}
    found: list[Column] = []
    for name in map(str.strip, asked):
        if name in COLUMN_GROUPS:
            found += _of_group(report, name)
        else:
            found.append(asked_column(known, "--columns", name, COLUMN_GROUPS))
    apart = {column.name for column in (*name_columns(report), FLAGS)}
    return tuple({c.name: c for c in found if c.name not in apart}.values())


def asked_column(
    known: dict[str, Column], option: str, name: str, more: Iterable[str] = ()
) -> Column:
    """The column of that name.

    Raises:
        UserError: there is none.
    """
    if name not in known:
        allowed = dict.fromkeys([*more, *known])
        raise UserError(f"{option}: there is no column {name!r}: {choices(name, allowed)}")
    return known[name]


def _of_group(report: Report, group: str) -> tuple[Column, ...]:
    deciding = deciding_columns(report)
    if group == DECIDING:
        return (*deciding.scores, *deciding.costs)
    parts = [_PARTS[group]] if group in _PARTS else _PARTS.values()
    first = deciding.scores if "scores" in parts else ()
    return (*first, *(column for part in parts for column in columns_of_part(report, part)))


def _known(report: Report, names: Sequence[str]) -> tuple[Column, ...]:
    return not_empty(pick(comparison_columns(report), names), report.rows_with_baselines())
