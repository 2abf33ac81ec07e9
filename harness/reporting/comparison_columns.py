"""The columns of the comparison: one row a group of trials, or what guessing scores."""

from __future__ import annotations

from harness.reporting.columns import Column, within
from harness.reporting.formats import percent
from harness.reporting.report_model import BaselineRow, Report, ReportRow
from harness.reporting.score_columns import dev_columns, metrics_of_tasks, score_columns
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

AnyRow = ReportRow | BaselineRow


def comparison_columns(report: Report) -> tuple[Column, ...]:
    """All of them, in the order of comparison.csv."""
    return (
        *name_columns(report),
        Column("folds", int, title="Folds", part="trials"),
        *within(
            _group,
            Column("seeds", int, title="Seeds", part="trials"),
            Column("speakers", int, title="Speakers", part="trials"),
            Column("trials", int, title="Trials", part="trials"),
            Column("planned", int, title="Planned", part="trials"),
        ),
        *within(_group, RANK_GROUP),
        *(column for metric in metrics_of_tasks(report.tasks) for column in score_columns(metric)),
        *within(
            _group,
            *dev_columns(report.tasks),
            CHOSEN,
        ),
        *within(
            _group,
            TRAINABLE,
            TOTAL,
            Column("trainable_share", float, "share", "Share %", percent, better="low"),
            Column("depth_share", float, "share", "Depth %", percent, better="low"),
            *within(_cost, *TRIAL_SPEEDS, *TRIAL_PEAKS, *TRIAL_COST_FACTS),
        ),
        FLAGS,
        *within(
            _group,
            Column("audio_seen", str, value=_audio_seen),
            Column("emotion_labels_seen", str, value=_labels_seen),
        ),
    )


def name_columns(report: Report) -> tuple[Column, ...]:
    """Those that say which row it is."""
    axes = map(_axis_column, report.axis_names)
    return (CORPUS, BACKBONE.read(_backbone), *within(_group, FINETUNE_LAYERS, *axes))


def _group(row: AnyRow) -> ReportRow | None:
    """The row if it is of trials: guessing has no backbone, parameters or cost."""
    return row if isinstance(row, ReportRow) else None


def _axis_column(name: str) -> Column:
    return Column(name, object, title=name, part="name", value=lambda row: row.axes[name])


def _backbone(row: AnyRow) -> str:
    return row.backbone if isinstance(row, ReportRow) else row.baseline


def _cost(row: ReportRow) -> TrialCost | None:
    return row.cost


def _flags(row: AnyRow) -> str:
    return ", ".join(row.flags)


def _audio_seen(row: ReportRow) -> str | None:
    return ", ".join(row.seen_before.seen.audio or ()) or None


def _labels_seen(row: ReportRow) -> str | None:
    seen = row.seen_before.seen
    return ", ".join([*(seen.labels or ()), *seen.guessed]) or None


RANK_GROUP = Column("rank_group", str, title="Group", part="scores")
CHOSEN = Column("chosen", str, title="Chosen on dev", part="scores")
FLAGS = Column("flags", str, title="Flags", part="flags", value=_flags)
