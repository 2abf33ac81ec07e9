"""Measurements of the same thing in several processes, put together.

The samples of one process resemble each other: one memory layout, one
temperature, one load of the machine. What several processes measure, with others between them,
spreads as a repetition would.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean, median

from harness.results.noise import spread
from harness.results.records import CostRecord, WorkloadCost

HIGHEST = (
    "load_s",
    "matmul_peak_flops",
    "infer_peak_rss_bytes",
    "peak_rss_bytes",
    "peak_gpu_bytes",
    "gpu_device_peak_bytes",
    "torch_peak_allocated_bytes",
    "torch_peak_reserved_bytes",
)


def pooled(first: CostRecord, second: CostRecord) -> CostRecord:
    """One record of two good measurements: all samples, the highest peaks, the mean energy.

    What only one of them could measure is taken from it; the reasons for what was missing in either
    are kept.
    """
    max_spread = first.trial.cost.max_spread
    pairs = zip(first.points, second.points, strict=True)
    workloads = [_pooled_workload(one, other, max_spread) for one, other in pairs]
    changes: dict[str, object] = {name: _combined(max, first, second, name) for name in HIGHEST}
    return first.model_copy(
        update={
            **changes,
            "points": workloads,
            "rounds": first.rounds + second.rounds,
            "wall_s": first.wall_s + second.wall_s,
            "missing": second.missing | first.missing,
        }
    )


def instability(samples_s: list[float], max_spread: float) -> list[str]:
    """Why samples are unstable by themselves.

    >>> instability([1.0, 1.0, 1.1, 2.0, 1.0], max_spread=0.25)
    ['samples spread by more than 25%']
    """
    found = spread(samples_s)
    if found is None or found <= max_spread:
        return []
    return [f"samples spread by more than {max_spread:.0%}"]


def _pooled_workload(first: WorkloadCost, second: WorkloadCost, max_spread: float) -> WorkloadCost:
    samples = first.samples_s + second.samples_s
    reasons = dict.fromkeys(first.unstable + second.unstable)
    for own in (first, second):
        for reason in instability(own.samples_s, max_spread):
            reasons.pop(reason, None)
    torch_peaks = ("torch_peak_allocated_bytes", "torch_peak_reserved_bytes")
    return first.model_copy(
        update={
            "samples_s": samples,
            "audio_s_per_s": first.duration_s * first.batch_size / median(samples),
            "joules_per_audio_hour": _combined(fmean, first, second, "joules_per_audio_hour"),
            "unstable": [*reasons, *instability(samples, max_spread)],
            **{name: _combined(max, first, second, name) for name in torch_peaks},
        }
    )


def _combined(
    choose: Callable[[list[float]], float],
    first: CostRecord | WorkloadCost,
    second: CostRecord | WorkloadCost,
    name: str,
) -> float | None:
    values = [getattr(record, name) for record in (first, second)]
    known = [value for value in values if value is not None]
    return choose(known) if known else None
