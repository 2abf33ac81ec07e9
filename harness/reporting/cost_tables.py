"""What each backbone costs at each depth, duration and batch size: one row a measurement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tabulate import tabulate

from harness.files import write_text
from harness.reporting.columns import DASH
from harness.reporting.trials_table import error_line
from harness.results.noise import spread
from harness.results.records import CostRecord, WorkloadCost
from harness.results.store import REPORT
from harness.results.trial_groups import standing

QUANTILES = {"p50_s": 0.5, "p90_s": 0.9, "p99_s": 0.99}

_MODES = {"infer": "infer", "train": "train step", "train_end_to_end": "train, end to end"}
_GIB, _MEGA, _GIGA = 2**30, 1e6, 1e9


def ordered(costs: Iterable[CostRecord]) -> list[CostRecord]:
    """As backbones and depths stand in a comparison."""
    return sorted(
        costs,
        key=lambda cost: (
            standing(cost.trial.backbone.name, cost.trial.finetune_layers),
            cost.started_at,
        ),
    )


def costs_frame(costs: Sequence[CostRecord]) -> pd.DataFrame:
    """One row a point that was measured, in seconds, bytes, FLOPs and joules.

    Columns: `cost_id`, what was measured and where; `mode`, `duration_s`, `batch_size`; quantiles
    of the samples, their `spread` and how many there are; `audio_s_per_s`, `frames`,
    `flops_per_audio_s`, `peak_share` (of the device's own matrix-multiply peak),
    `joules_per_audio_hour`; memory and parameters; `unstable`, the reasons not to rely on it.
    """
    return pd.DataFrame([_row(cost, point) for cost in ordered(costs) for point in cost.points])


def costs_markdown(costs: Sequence[CostRecord]) -> str:
    """The costs for reading: a table of speeds, one of sizes, and what qualifies them."""
    listed = ordered(costs)
    speeds = [_speed_row(cost, point) for cost in listed for point in cost.points]
    sizes = [_size_row(cost) for cost in listed if cost.status == "ok"]
    parts = ["# Costs", _grid(speeds), _grid(sizes), "\n".join(f"- {n}" for n in _notes(listed))]
    return "\n\n".join(part for part in parts if part) + "\n"


def write_costs(folder: Path, costs: Sequence[CostRecord]) -> tuple[Path, ...]:
    """Write report/costs.csv and .md under a suite's results, each atomically."""
    texts = {"csv": costs_frame(costs).to_csv(index=False), "md": costs_markdown(costs)}
    paths = tuple(folder / REPORT / f"costs.{ending}" for ending in texts)
    for path, text in zip(paths, texts.values(), strict=True):
        write_text(path, text)
    return paths


def _row(cost: CostRecord, point: WorkloadCost) -> dict[str, Any]:
    return {
        "cost_id": cost.cost_id,
        "backbone": cost.trial.backbone.name,
        "finetune_layers": cost.trial.finetune_layers,
        "pooling": cost.trial.head.pooling,
        "precision": cost.precision,
        "device": cost.device,
        "mode": point.mode,
        "duration_s": point.duration_s,
        "batch_size": point.batch_size,
        **{name: float(np.quantile(point.samples_s, q)) for name, q in QUANTILES.items()},
        "samples": len(point.samples_s),
        "spread": spread(point.samples_s),
        "audio_s_per_s": point.audio_s_per_s,
        "frames": point.frames,
        "flops_per_audio_s": point.flops_per_audio_s,
        "peak_share": peak_share(cost, point),
        "joules_per_audio_hour": point.joules_per_audio_hour,
        "torch_peak_allocated_bytes": point.torch_peak_allocated_bytes,
        "torch_peak_reserved_bytes": point.torch_peak_reserved_bytes,
        "load_s": cost.load_s,
        "infer_peak_rss_bytes": cost.infer_peak_rss_bytes,
        "peak_rss_bytes": cost.peak_rss_bytes,
        "peak_gpu_bytes": cost.peak_gpu_bytes,
        "peak_gpu_source": cost.peak_gpu_source,
        "gpu_baseline_bytes": cost.gpu_baseline_bytes,
        "gpu_device_peak_bytes": cost.gpu_device_peak_bytes,
        "trainable_parameters": cost.trainable_parameters,
        "total_parameters": cost.total_parameters,
        "matmul_peak_flops": cost.matmul_peak_flops,
        "unstable": "; ".join(point.unstable) or None,
    }


def peak_share(cost: CostRecord, point: WorkloadCost) -> float | None:
    """The share of the device's matrix-multiply peak that a point reached."""
    if point.flops_per_audio_s is None or not cost.matmul_peak_flops:
        return None
    return point.flops_per_audio_s * point.audio_s_per_s / cost.matmul_peak_flops


def _speed_row(cost: CostRecord, point: WorkloadCost) -> dict[str, str]:
    p50, p90, p99 = np.quantile(point.samples_s, list(QUANTILES.values())) * 1000
    return {
        **_subject(cost),
        "Work": _MODES[point.mode],
        "Batch": f"{point.batch_size} × {point.duration_s:g} s",
        "p50 ms": f"{p50:.4g}",
        "p90 ms": f"{p90:.4g}",
        "p99 ms": f"{p99:.4g}",
        "Spread %": _shown(spread(point.samples_s), 0.01, ".0f"),
        "Audio s/s": f"{point.audio_s_per_s:.3g}",
        "GFLOP/s of audio": _shown(point.flops_per_audio_s, _GIGA, ".3g"),
        "Peak %": _shown(peak_share(cost, point), 0.01, ".0f"),
        "J/h of audio": _shown(point.joules_per_audio_hour, 1, ".4g"),
        "Marks": "UNSTABLE" if point.unstable else "",
    }


def _size_row(cost: CostRecord) -> dict[str, str]:
    return {
        **_subject(cost),
        "Parameters M": _shown(cost.total_parameters, _MEGA, ".2f"),
        "Trained M": _shown(cost.trainable_parameters, _MEGA, ".2f"),
        "Load s": _shown(cost.load_s, 1, ".1f"),
        "RSS GiB, infer": _shown(cost.infer_peak_rss_bytes, _GIB, ".2f"),
        "RSS GiB": _shown(cost.peak_rss_bytes, _GIB, ".2f"),
        "GPU GiB": _shown(cost.peak_gpu_bytes, _GIB, ".2f"),
        "torch GiB": _shown(cost.torch_peak_allocated_bytes, _GIB, ".2f"),
    }


def _subject(cost: CostRecord) -> dict[str, str]:
    name = f"{cost.trial.backbone.name} (random)" if cost.random_weights else None
    return {
        "Backbone": name or cost.trial.backbone.name,
        "Layers": str(cost.trial.finetune_layers),
        "Precision": cost.precision or DASH,
    }


def _grid(rows: list[dict[str, str]]) -> str:
    if not rows:
        return ""
    names = ("Backbone", "Precision", "Work", "Marks")
    sides = ["left" if title in names else "right" for title in rows[0]]
    return tabulate(rows, "keys", "pipe", colalign=sides, disable_numparse=True)


def _shown(value: float | None, unit: float, form: str) -> str:
    return DASH if value is None else format(value / unit, form)


def _notes(costs: Sequence[CostRecord]) -> list[str]:
    done = [cost for cost in costs if cost.status == "ok"]
    notes = [
        "From waveforms to logits, nothing kept; Audio s/s: seconds of audio per second at the "
        "median. Spread: (p90 − p10) / median. A train step has forward, backward and optimiser; "
        "end to end it decodes its recordings too.",
        "GFLOP: matrix products and convolutions, a product and its sum as two. Peak %: of this "
        f"device's own large matrix products, {_peaks(done)}.",
        "RSS, GPU: the most that the process held, training included where not said otherwise; "
        "torch: the most in its tensors on the GPU.",
    ]
    notes += [f"UNSTABLE: {why}" for cost in done for p in cost.points for why in p.unstable]
    notes += [f"{name} is missing: {why}" for cost in done for name, why in cost.missing.items()]
    notes += [
        f"{cost.trial.describe()}: {cost.status}: {error_line(cost)}"
        for cost in costs
        if cost.status != "ok"
    ]
    return list(dict.fromkeys(notes))


def _peaks(costs: Sequence[CostRecord]) -> str:
    peaks: dict[str, list[float]] = {}
    for cost in costs:
        if cost.matmul_peak_flops:
            kind = f"GFLOP/s in {cost.precision} on {cost.device}"
            peaks.setdefault(kind, []).append(cost.matmul_peak_flops / _GIGA)
    texts = [f"{min(found):.0f} to {max(found):.0f} {kind}" for kind, found in peaks.items()]
    return "; ".join(texts) or "which were not measured"
