"""Which measured cost belongs to which trial."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from harness.results.records import CostRecord, Mode, WorkloadCost
from harness.specs import CostTrial, Trial

COST_COLUMNS = (
    "train_audio_s_per_s",
    "infer_audio_s_per_s",
    "peak_gpu_bytes",
    "peak_rss_bytes",
    "cost_device",
    "cost_duration_s",
    "cost_batch_size",
    "cost_unstable",
)


def cost_columns(trial: Trial, costs: Iterable[CostRecord]) -> dict[str, Any]:
    """What the trial's backbone × finetune_layers costs; None for all that was not measured.

    Of several measurements the newest that ended well counts. Of its points, the one with the
    largest batch at the first duration: the suite lists first the duration it cares for most,
    and the largest batch shows what the device can do.
    """
    record = _newest(trial, costs)
    if record is None:
        return dict.fromkeys(COST_COLUMNS)
    infer, train = point_of(record.points, "infer"), point_of(record.points, "train")
    stated = infer or train
    return {
        "train_audio_s_per_s": train.audio_s_per_s if train else None,
        "infer_audio_s_per_s": infer.audio_s_per_s if infer else None,
        "peak_gpu_bytes": record.peak_gpu_bytes,
        "peak_rss_bytes": record.peak_rss_bytes,
        "cost_device": record.device,
        "cost_duration_s": stated.duration_s if stated else None,
        "cost_batch_size": stated.batch_size if stated else None,
        "cost_unstable": any(point.unstable for point in (infer, train) if point),
    }


def point_of(points: Sequence[WorkloadCost], mode: Mode) -> WorkloadCost | None:
    """The point with the largest batch at the first duration measured in this mode."""
    of_mode = [point for point in points if point.mode == mode]
    at_first = [point for point in of_mode if point.duration_s == of_mode[0].duration_s]
    return max(at_first, key=lambda point: point.batch_size, default=None)


def _newest(trial: Trial, costs: Iterable[CostRecord]) -> CostRecord | None:
    fitting = [
        cost
        for cost in costs
        if cost.status == "ok" and cost.trial == CostTrial.of(trial, cost.trial.cost)
    ]
    return max(fitting, key=lambda cost: cost.started_at, default=None)
