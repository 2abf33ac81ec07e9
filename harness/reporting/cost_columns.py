"""The columns of the costs: one row a workload that was measured, and one a cost record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from harness.reporting.columns import Column, pick, within
from harness.reporting.formats import (
    gibibytes,
    gigaflops,
    milliseconds,
    scaled,
    whole_percent,
)
from harness.reporting.shared_columns import (
    BACKBONE,
    FINETUNE_LAYERS,
    PEAK_GPU,
    PEAK_RSS,
    TOTAL,
    TRAINABLE,
)
from harness.results.noise import spread
from harness.results.records import CostRecord, WorkloadCost
from harness.specs import CostTrial, HeadSpec

_MODE_NAMES = {"infer": "infer", "train": "train step", "train_end_to_end": "train, end to end"}


@dataclass(frozen=True)
class MeasuredWorkload:
    """One workload of a cost record."""

    cost: CostRecord
    workload: WorkloadCost

    @property
    def peak_share(self) -> float | None:
        """The share of the device's own matrix-multiply peak that it reached."""
        flops, peak = self.workload.flops_per_audio_s, self.cost.matmul_peak_flops
        return flops * self.workload.audio_s_per_s / peak if flops is not None and peak else None


def measured_workloads(costs: Iterable[CostRecord]) -> tuple[MeasuredWorkload, ...]:
    """Every workload of the costs, in their order."""
    return tuple(MeasuredWorkload(cost, workload) for cost in costs for workload in cost.points)


def _cost(row: MeasuredWorkload) -> CostRecord:
    return row.cost


def _workload(row: MeasuredWorkload) -> WorkloadCost:
    return row.workload


def _trial(cost: CostRecord) -> CostTrial:
    return cost.trial


def _head(cost: CostRecord) -> HeadSpec:
    return cost.trial.head


def _backbone(cost: CostRecord) -> str:
    return cost.trial.backbone.name


def _backbone_and_weights(cost: CostRecord) -> str:
    return f"{_backbone(cost)} (random)" if cost.random_weights else _backbone(cost)


def _shape(workload: WorkloadCost) -> str:
    return f"{workload.batch_size} × {workload.duration_s:g} s"


def _spread(workload: WorkloadCost) -> float | None:
    return spread(workload.samples_s)


def _flags(workload: WorkloadCost) -> str:
    return "UNSTABLE" if workload.unstable else ""


def _quantile(name: str, share: float) -> Column:
    return Column(
        f"{name}_s",
        float,
        "s",
        f"{name} ms",
        milliseconds,
        value=lambda workload: float(np.quantile(workload.samples_s, share)),
    )


# of a CostRecord
_BACKBONE = BACKBONE.read(_backbone, _backbone_and_weights)
_SETTINGS = (
    *within(_trial, FINETUNE_LAYERS),
    *within(_head, Column("pooling", str)),
    Column("precision", str, title="Precision"),
)
_SIZES = (
    Column("load_s", float, "s", "Load s", scaled(".1f")),
    Column("infer_peak_rss_bytes", int, "bytes", "RSS GiB, infer", gibibytes),
    PEAK_RSS,
    PEAK_GPU,
    Column("peak_gpu_source", str),
    Column("gpu_baseline_bytes", int, "bytes"),
    Column("gpu_device_peak_bytes", int, "bytes"),
    TRAINABLE,
    TOTAL,
    Column("matmul_peak_flops", float, "FLOP/s"),
)
# of a CostRecord and of a WorkloadCost
_TORCH_PEAK = Column("torch_peak_allocated_bytes", int, "bytes", "torch GiB", gibibytes)

# of a WorkloadCost
_WORK = (
    Column("mode", str, title="Work", format=lambda mode: _MODE_NAMES[mode]),
    Column("duration_s", float, "s"),
    Column("batch_size", int, title="Batch", displayed=_shape),
)
_TIMES = (
    _quantile("p50", 0.5),
    _quantile("p90", 0.9),
    _quantile("p99", 0.99),
    Column("samples", int, value=lambda workload: len(workload.samples_s)),
    Column("spread", float, "share", "Spread %", whole_percent, value=_spread),
)
_UNSTABLE = Column("unstable", str, value=lambda workload: "; ".join(workload.unstable) or None)
_FLAGS = Column("flags", str, title="Flags", value=_flags)

COST_COLUMNS = (
    *within(_cost, Column("cost_id", str), _BACKBONE, *_SETTINGS, Column("device", str)),
    *within(_workload, *_WORK, *_TIMES),
    *within(
        _workload,
        Column("audio_s_per_s", float, "audio s/s", "Audio s/s", scaled(".3g")),
        Column("frames", int, "frames"),
        Column("flops_per_audio_s", float, "FLOP/audio s", "GFLOP/s of audio", gigaflops),
    ),
    Column("peak_share", float, "share", "Peak %", whole_percent),
    *within(
        _workload,
        Column("joules_per_audio_hour", float, "J/audio h", "J/h of audio", scaled(".4g")),
        _TORCH_PEAK,
        Column("torch_peak_reserved_bytes", int, "bytes"),
    ),
    *within(_cost, *_SIZES),
    *within(_workload, _UNSTABLE),
)
"""All of them, in the order of costs.csv; rows are `MeasuredWorkload`s."""

_SUBJECT = ("backbone", "finetune_layers", "precision")

SPEED_COLUMNS = pick(
    (*COST_COLUMNS, *within(_workload, _FLAGS)),
    [
        *(*_SUBJECT, "mode", "batch_size", "p50_s", "p90_s", "p99_s", "spread", "audio_s_per_s"),
        *("flops_per_audio_s", "peak_share", "joules_per_audio_hour", "flags"),
    ],
)
"""What people read of speeds; rows are `MeasuredWorkload`s."""

SIZE_COLUMNS = pick(
    (_BACKBONE, *_SETTINGS, *_SIZES, _TORCH_PEAK),
    [
        *(*_SUBJECT, "total_parameters", "trainable_parameters", "load_s"),
        *("infer_peak_rss_bytes", "peak_rss_bytes", "peak_gpu_bytes", _TORCH_PEAK.name),
    ],
)
"""What people read of sizes; rows are `CostRecord`s."""
