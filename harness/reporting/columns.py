"""From raw numbers to what stands in a table's fields: units, rounding, dashes, footnotes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from harness.results.flags import FLAG_MEANINGS
from harness.results.statistics import INTERVAL_METRICS, METRICS

DASH = "–"
"""Stands for what was not measured."""

_METRIC_NAMES = {
    "accuracy": "Accuracy",
    "uar": "UAR",
    "macro_f1": "Macro-F1",
    "weighted_f1": "Weighted F1",
}

Row = pd.Series


@dataclass(frozen=True)
class Column:
    """A column of the table as it is shown."""

    part: Literal["name", "trials", "score", "cost", "flags"]
    title: str
    text: Callable[[Row], str]

    @property
    def numeric(self) -> bool:
        """Whether it is aligned to the right."""
        return self.part not in ("name", "flags") or self.title == "Layers"


def columns(table: pd.DataFrame) -> list[Column]:
    """The columns to show of a comparison."""
    return [
        Column("name", "Corpus", _reads("corpus", _plain)),
        Column("name", "Backbone", _reads("backbone", _plain)),
        Column("name", "Layers", _reads("finetune_layers", _plain)),
        *(Column("name", axis, _reads(axis, _plain)) for axis in axis_names(table)),
        Column("trials", "Folds", _reads("folds", _plain)),
        Column("trials", "Seeds", _reads("seeds", _plain)),
        *(column for metric in METRICS for column in _metric_columns(metric)),
        Column("cost", "Trained M", _reads("trainable_parameters", _millions)),
        Column("cost", "Share %", _reads("trainable_share", percent)),
        Column("cost", "Depth %", _reads("depth_share", percent)),
        Column("cost", "Infer s/s", _reads("infer_audio_s_per_s", _rate)),
        Column("cost", "Train s/s", _reads("train_audio_s_per_s", _rate)),
        Column("cost", "RSS GiB", _reads("peak_rss_bytes", _gibibytes)),
        Column("cost", "GPU GiB", _reads("peak_gpu_bytes", _gibibytes)),
        Column("flags", "Flags", _reads("flags", str)),
    ]


def axis_names(table: pd.DataFrame) -> list[str]:
    """What tells the rows of a comparison apart beside corpus, backbone and finetune_layers."""
    names = list(table.columns)
    return names[names.index("finetune_layers") + 1 : names.index("folds")]


def footnotes(table: pd.DataFrame) -> list[str]:
    """What a reader must know to trust the table."""
    notes = [
        "Accuracy is WA, UAR is UA (balanced accuracy); all scores are on test, in %.",
        "Scores are the mean over folds ± the standard deviation over folds (of the means over "
        f"seeds) / over seeds (of the means over folds); {DASH} where there is only one.",
        "[low, high]: 95 % interval of that mean, by a bootstrap over the speakers of each test "
        "split.",
        "chance: the expected scores of guessing every class equally often; majority: always "
        "the class most frequent in train.",
        "Trained M: millions of parameters that train, the head's included, and their share.",
        "Depth %: the share of the backbone's transformer layers that train.",
        *_depth_notes(table),
        *_cost_notes(table),
    ]
    present = " ".join(table["flags"])
    notes += [f"{mark}: {text}" for mark, text in FLAG_MEANINGS.items() if mark in present]
    return notes + _label_notes(table)


def percent(share: Any) -> str:
    """A share in per cent with one decimal.

    >>> percent(0.6789), percent(None)
    ('67.9', '–')
    """
    return DASH if pd.isna(share) else f"{100 * share:.1f}"


def _metric_columns(metric: str) -> list[Column]:
    name = _METRIC_NAMES[metric]
    shown = [Column("score", name, lambda row: _mean_and_spreads(row, metric))]
    # one interval is enough to read; the others are in the CSV
    if metric == "uar" and metric in INTERVAL_METRICS:
        shown.append(Column("score", f"{name} 95 %", lambda row: _interval(row, metric)))
    return shown


def _mean_and_spreads(row: Row, metric: str) -> str:
    mean, folds, seeds = row[metric], row[f"{metric}_spread_folds"], row[f"{metric}_spread_seeds"]
    if pd.isna(folds) and pd.isna(seeds):
        return percent(mean)
    return f"{percent(mean)} ± {percent(folds)} / {percent(seeds)}"


def _interval(row: Row, metric: str) -> str:
    low, high = row[f"{metric}_low"], row[f"{metric}_high"]
    return DASH if pd.isna(low) else f"[{percent(low)}, {percent(high)}]"


def _reads(name: str, shape: Callable[[Any], str]) -> Callable[[Row], str]:
    return lambda row: shape(row[name])


def _plain(value: Any) -> str:
    return DASH if pd.isna(value) else str(value)


def _millions(count: Any) -> str:
    return DASH if pd.isna(count) else f"{count / 1e6:.2f}"


def _rate(value: Any) -> str:
    return DASH if pd.isna(value) else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _gibibytes(count: Any) -> str:
    return DASH if pd.isna(count) else f"{count / 2**30:.2f}"


def _depth_notes(table: pd.DataFrame) -> list[str]:
    if not table["backbone"].str.startswith("emotion2vec").any():
        return []
    return [
        "emotion2vec: its four prenet blocks are the same transformer layers as its eight main "
        "blocks and every utterance crosses them, so 3 of 8 main blocks (37.5 %) are 3 of its "
        "12 layers (25.0 %)."
    ]


def _label_notes(table: pd.DataFrame) -> list[str]:
    marked = table[table["flags"].str.contains("LABELS SEEN")]
    seen = marked[["backbone", "emotion_labels_seen"]].drop_duplicates()
    return [
        f"Emotion labels seen by {backbone}: {labels}."
        for backbone, labels in seen.itertuples(index=False)
    ]


def _cost_notes(table: pd.DataFrame) -> list[str]:
    measured = table[["cost_device", "cost_duration_s", "cost_batch_size"]].dropna()
    conditions = [
        f"{duration:g} s × batch {batch} on {device}"
        for device, duration, batch in measured.drop_duplicates().itertuples(index=False)
    ]
    if not conditions:
        return []
    return [
        "Infer and Train s/s: seconds of audio per second, on the whole uncached path, for "
        f"{'; '.join(conditions)}. RSS and GPU: "
        "the peaks of the whole cost pass, all its durations, batch sizes and training included."
    ]
