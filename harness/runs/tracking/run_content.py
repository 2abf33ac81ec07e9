"""What a tracker is told of a trial, as flat tables of names and numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from harness.results.group_scores import metrics_of
from harness.results.records import CostRecord, Record

Setting = str | int | float | bool

_FACTS = ("wall_s", "trainable_parameters", "total_parameters", "backbone_depth")
_CURVE = ("train_loss", "dev_loss", "dev_metric", "dev_average", "wall_s")
_COSTS = ("load_s", "peak_rss_bytes", "infer_peak_rss_bytes", "peak_gpu_bytes")
_COST_POINT = ("audio_s_per_s", "flops_per_audio_s", "joules_per_audio_hour")


def run_name(record: Record) -> str:
    """Names a run for people and, by the trial's id, for machines; also a folder's name."""
    trial = record.trial
    return (
        f"{trial.corpus.name}-fold{trial.fold}-{trial.backbone.name}-{trial.finetune_layers}layers-"
        f"{trial.loss}-seed{trial.seed}-{record.trial_id[:8]}"
    )


def run_id(record: Record) -> str:
    """The same whenever more is said of this run of a trial; another if the trial runs again."""
    started = "".join(mark for mark in record.started_at.partition("+")[0] if mark.isdigit())
    return f"{record.trial_id}-{started}"


def settings(record: Record) -> dict[str, Setting]:
    """The trial as its suite says it, and what it ran on."""
    environment = {
        name: record.environment.get(name) for name in ("revision", "device_name", "harness")
    }
    told = {"suite": record.suite, "trial_id": record.trial_id, "status": record.status}
    return flat(record.trial.model_dump(mode="json") | told | environment)


def curve(record: Record) -> Iterator[tuple[int, dict[str, float]]]:
    """Epochs and their scores."""
    for point in record.fit.curve if record.fit else []:
        yield point.epoch, {f"curve/{name}": getattr(point, name) for name in _CURVE}


def outcome(record: Record) -> dict[str, float]:
    """The scores at the end, and what it took."""
    scores = {
        f"{split}/{metric}": value
        for split, found in record.metrics.items()
        for metric, value in metrics_of(record.trial, found).items()
    }
    audio_info = {name: getattr(record, name) for name in _FACTS}
    best = {"best_epoch": record.fit.best_epoch} if record.fit else {}
    return _numbers(scores | audio_info | best)


def expense(cost: CostRecord) -> dict[str, float]:
    """What a trial's backbone at its depth costs."""
    figures: dict[str, Any] = {f"cost/{name}": getattr(cost, name) for name in _COSTS}
    for point in cost.points:
        shape = f"{point.mode}_{point.duration_s:g}s_b{point.batch_size}"
        figures |= {f"cost/{shape}/{name}": getattr(point, name) for name in _COST_POINT}
    return _numbers(figures)


def flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Setting]:
    """Nested settings with their path as name; what is no number is text.

    >>> flat({"training": {"epochs": 3, "crop_s": None}})
    {'training.epochs': 3, 'training.crop_s': 'None'}
    """
    found: dict[str, Setting] = {}
    for name, value in content.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            plain = isinstance(value, str | int | float | bool)
            found[f"{prefix}{name}"] = value if plain else str(value)
    return found


def _numbers(figures: Mapping[str, Any]) -> dict[str, float]:
    """Without what was not measured, which no tracker can tell from 0."""
    known = {name: float(value) for name, value in figures.items() if value is not None}
    return {name: value for name, value in known.items() if math.isfinite(value)}
