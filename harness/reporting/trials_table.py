"""The plain table of trials, one row each: what trials.csv holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from harness.config.axes import flat
from harness.results.cost_matching import COST_COLUMNS, cost_columns
from harness.results.records import CostRecord, Record

TRIAL_COLUMNS = (
    "trial_id",
    "status",
    "corpus",
    "fold",
    "backbone",
    "finetune_layers",
    "loss",
    "seed",
    "accuracy",
    "uar",
    "macro_f1",
    "weighted_f1",
    "train_audio_s_per_s",
    "infer_audio_s_per_s",
    "peak_gpu_bytes",
    "peak_rss_bytes",
    "trainable_parameters",
    "total_parameters",
    "wall_s",
)
"""The columns that every trials.csv begins with; others may follow."""

_WHOLE_NUMBERS = (
    "fold",
    "seed",
    "peak_gpu_bytes",
    "peak_rss_bytes",
    "trainable_parameters",
    "total_parameters",
    "head_parameters",
    "best_epoch",
    "limit_utterances",
    "cost_batch_size",
)


def trials_frame(records: Sequence[Record], costs: Sequence[CostRecord]) -> pd.DataFrame:
    """One row a trial, scores on test; what was not measured is missing, never 0.

    Throughput and peaks come from the cost pass of the trial's backbone × finetune_layers, as
    `report.costs` chooses it; `fit_wall_s` is how long learning took, which is no speed of a
    backbone.
    """
    rows = [_row(record, costs) for record in records]
    frame = pd.DataFrame(rows, columns=None if rows else list(TRIAL_COLUMNS))
    return whole_numbers(frame, _WHOLE_NUMBERS)


def whole_numbers(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The frame with these columns as integers that may be missing."""
    present = [column for column in columns if column in frame]
    return frame.astype(dict.fromkeys(present, "Int64"))


def error_line(record: Record | CostRecord) -> str | None:
    """The last line of a failed record's traceback: what went wrong."""
    lines = (record.error or "").strip().splitlines()
    return lines[-1].strip() if lines else None


def _row(record: Record, costs: Sequence[CostRecord]) -> dict[str, Any]:
    trial, test, fit = record.trial, record.metrics.get("test"), record.fit
    cost = cost_columns(trial, costs)
    first = {
        "trial_id": record.trial_id,
        "status": record.status,
        "corpus": trial.corpus.name,
        "fold": trial.fold,
        "backbone": trial.backbone.name,
        "finetune_layers": trial.finetune_layers,
        "loss": trial.loss,
        "seed": trial.seed,
        **{name: getattr(test, name, None) for name in TRIAL_COLUMNS[8:12]},
        **{name: cost[name] for name in COST_COLUMNS[:4]},
        "trainable_parameters": record.trainable_parameters,
        "total_parameters": record.total_parameters,
        "wall_s": record.wall_s,
    }
    more = {
        "head_parameters": record.head_parameters,
        "accuracy_frequent": test.accuracy_frequent if test else None,
        "accuracy_middle": test.accuracy_middle if test else None,
        "accuracy_rare": test.accuracy_rare if test else None,
        "fit_wall_s": fit.fit_wall_s if fit else None,
        "best_epoch": fit.best_epoch if fit else None,
        "stopped": fit.stopped if fit else None,
        "frames_from": fit.frames_from if fit else None,
        "random_weights": record.random_weights,
        "limited_data": record.limited_data,
        "limit_utterances": trial.limit_utterances,
        "partial_corpus": record.partial_corpus,
        "speaker_overlap": record.speaker_overlap,
        "cost_device": cost["cost_device"],
        "cost_duration_s": cost["cost_duration_s"],
        "cost_batch_size": cost["cost_batch_size"],
        "cost_unstable": cost["cost_unstable"],
        "started_at": record.started_at,
        "error": error_line(record),
    }
    return {**first, **more, **{k: v for k, v in flat(trial).items() if k not in first}}
