"""A report's tables as data frames: every column, raw."""

from __future__ import annotations

import pandas as pd

from harness.reporting.comparison_columns import comparison_columns
from harness.reporting.cost_columns import COST_COLUMNS, measured_workloads
from harness.reporting.report_model import Report
from harness.reporting.tables import frame
from harness.reporting.trial_columns import trial_columns


def comparison_frame(report: Report) -> pd.DataFrame:
    """One row a corpus × backbone × finetune_layers × whatever else varies.

    Columns: those three and the other axes; folds, seeds, trials that ended well, planned ones;
    each metric with `_spread_folds`, `_spread_seeds`, and `_low` and `_high` of its 95 %
    interval; parameters, the share of them and of the transformer layers (`depth_share`) that
    train; costs; `flags`; `audio_seen` and `emotion_labels_seen` by the backbone. Scores are
    shares, not per cent. After a corpus's rows come those of its baselines, such as "chance" and
    "majority".
    """
    return frame(report.rows_with_baselines(), comparison_columns(report))


def trials_frame(report: Report) -> pd.DataFrame:
    """One row a trial, scores on test; what was not measured is missing, never 0."""
    return frame(report.trials, trial_columns(report))


def costs_frame(report: Report) -> pd.DataFrame:
    """One row a workload that was measured, in seconds, bytes, FLOPs and joules.

    Columns: `cost_id`, what was measured and where; `mode`, `duration_s`, `batch_size`; quantiles
    of the samples, their `spread` and how many there are; `audio_s_per_s`, `frames`,
    `flops_per_audio_s`, `peak_share` (of the device's own matrix-multiply peak),
    `joules_per_audio_hour`; memory and parameters; `unstable`, the reasons not to rely on it.
    """
    return frame(measured_workloads(report.costs), COST_COLUMNS)
