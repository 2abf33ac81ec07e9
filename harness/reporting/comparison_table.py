"""The comparison: one row per cell, what guessing scores under each corpus. Raw numbers only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import pandas as pd

from harness.reporting.trials_table import error_line, whole_numbers
from harness.results.cost_matching import cost_columns
from harness.results.flags import flags
from harness.results.records import CostRecord, Record
from harness.results.statistics import INTERVAL_METRICS, METRICS, Interval, intervals, spread
from harness.results.trial_groups import (
    Predictions,
    TrialGroup,
    group_trials,
    predictions_on_test,
    scores_on_test,
)
from harness.specs import Trial

Value = TypeVar("Value")

BASELINES = ("chance", "majority")

_WHOLE_NUMBERS = (
    "folds",
    "seeds",
    "trials",
    "planned",
    "trainable_parameters",
    "total_parameters",
    "peak_gpu_bytes",
    "peak_rss_bytes",
    "cost_batch_size",
)


def comparison(
    records: Sequence[Record],
    costs: Sequence[CostRecord],
    predictions: Predictions,
    planned: Iterable[Trial] = (),
) -> pd.DataFrame:
    """One row per corpus × backbone × finetune_layers × whatever else varies.

    Columns: those three and the other axes; folds, seeds, trials that ended well, planned ones;
    each metric with `_spread_folds`, `_spread_seeds` and, from the predictions, `_low` and
    `_high` of its 95 % interval; parameters, the share of them and of the transformer layers
    (`depth_share`) that train; costs; `flags`; `emotion_labels_seen` by the backbone. Scores are
    shares, not per cent. After a corpus's rows come the rows "chance" and "majority".

    Args:
        records: the outcomes of trials
        costs: the outcomes of the cost pass
        predictions: gives the saved predictions of a trial
        planned: the trials there ought to be; cells that lack some are marked INCOMPLETE
    """
    groups = group_trials(records, planned)
    rows: list[dict[str, Any]] = []
    for corpus in dict.fromkeys(cell.corpus for cell in groups):
        own = [cell for cell in groups if cell.corpus == corpus]
        rows += [_cell_row(cell, costs, predictions) for cell in own]
        rows += [_baseline_row(corpus, kind, own) for kind in BASELINES if _baselines(own)]
    # left to itself pandas makes floats of whole numbers in columns that guessing has no value for
    named = {"finetune_layers", *(axis for cell in groups for axis in cell.axes)}
    kept = {name: pd.Series([row.get(name) for row in rows], dtype=object) for name in named}
    return whole_numbers(pd.DataFrame(rows).assign(**kept), _WHOLE_NUMBERS)


def failures(records: Iterable[Record]) -> pd.DataFrame:
    """The trials that did not end well: trial_id, trial, status and the last line of the error."""
    rows = [
        (record.trial_id, record.trial.describe(), record.status, error_line(record))
        for record in records
        if record.status != "ok"
    ]
    return pd.DataFrame(rows, columns=["trial_id", "trial", "status", "error"])


def _cell_row(
    cell: TrialGroup, costs: Sequence[CostRecord], predictions: Predictions
) -> dict[str, Any]:
    done = cell.finished
    scores = scores_on_test(done)
    trainable = _first(record.trainable_parameters for record in done)
    total = _first(record.total_parameters for record in done)
    cost = cost_columns(cell.trials[0], costs)
    unstable = ["UNSTABLE"] if cost.pop("cost_unstable") else []
    return {
        "corpus": cell.corpus,
        "backbone": cell.backbone,
        "finetune_layers": cell.finetune_layers,
        **cell.axes,
        "folds": scores["fold"].nunique(),
        "seeds": scores["seed"].nunique(),
        "trials": len(done),
        "planned": len(cell.trials),
        **_score_columns(scores, _intervals(done, predictions)),
        "trainable_parameters": trainable,
        "total_parameters": total,
        "trainable_share": trainable / total if trainable is not None and total else None,
        "depth_share": _depth_share(cell),
        **cost,
        "flags": ", ".join(flags(cell.trials, cell.records) + unstable),
        "emotion_labels_seen": ", ".join(_first(r.emotion_labels_seen for r in done) or ()) or None,
    }


def _depth_share(cell: TrialGroup) -> float | None:
    depth = _first(record.backbone_depth for record in cell.finished)
    if not depth:
        return None
    return 1.0 if cell.finetune_layers == "all" else cell.finetune_layers / depth


def _score_columns(
    scores: pd.DataFrame, interval_of: dict[str, Interval] | None
) -> dict[str, float | None]:
    columns: dict[str, float | None] = {}
    for metric in METRICS:
        found = spread(scores, metric) if len(scores) else None
        columns[metric] = found.mean if found else None
        columns[f"{metric}_spread_folds"] = found.folds if found else None
        columns[f"{metric}_spread_seeds"] = found.seeds if found else None
        if metric in INTERVAL_METRICS:
            interval = interval_of[metric] if interval_of else None
            columns[f"{metric}_low"] = interval.low if interval else None
            columns[f"{metric}_high"] = interval.high if interval else None
    return columns


def _intervals(done: Sequence[Record], predictions: Predictions) -> dict[str, Interval] | None:
    try:
        by_seed = predictions_on_test(done, predictions)
    except FileNotFoundError:
        # an interval over part of the trials would not belong to their mean
        return None
    return intervals(by_seed) if by_seed else None


def _baselines(groups: Iterable[TrialGroup]) -> dict[tuple[int, str], Record]:
    """One record with baselines for each test split: they are the same for every trial on it."""
    return {
        (record.trial.fold, record.digests.split if record.digests else ""): record
        for cell in groups
        for record in cell.finished
        if record.baselines is not None
    }


def _baseline_row(corpus: str, kind: str, groups: Sequence[TrialGroup]) -> dict[str, Any]:
    by_split = _baselines(groups)
    scores = pd.DataFrame(
        [
            {"fold": fold, "seed": 0}
            | {metric: getattr(getattr(record.baselines, kind), metric) for metric in METRICS}
            for (fold, _), record in by_split.items()
        ]
    )
    records = list(by_split.values())
    of_data = {"LIMITED", "PARTIAL", "SPEAKER OVERLAP"}
    found = [mark for mark in flags([r.trial for r in records], records) if mark in of_data]
    return {
        "corpus": corpus,
        "backbone": kind,
        "finetune_layers": None,
        "folds": len({fold for fold, _ in by_split}),
        **_score_columns(scores, None),
        "flags": ", ".join(found),
    }


def _first(values: Iterable[Value | None]) -> Value | None:
    return next((value for value in values if value is not None), None)
