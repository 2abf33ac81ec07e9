"""Measurements of the same thing in several processes, put together.

The samples of one process resemble each other: its memory lies where it lies, and the machine is as
warm and as busy as it is in that minute. What several processes find, with others between them,
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

    What only one of them could measure is taken from it, and what was missing in either is told.
    """
    most = first.trial.cost.max_spread
    points = [
        _point(one, other, most) for one, other in zip(first.points, second.points, strict=True)
    ]
    changes: dict[str, object] = {name: _of(max, first, second, name) for name in HIGHEST}
    return first.model_copy(
        update={
            **changes,
            "points": points,
            "rounds": first.rounds + second.rounds,
            "wall_s": first.wall_s + second.wall_s,
            "missing": second.missing | first.missing,
        }
    )


def instability(samples_s: list[float], most: float) -> list[str]:
    """Why samples are unstable by themselves.

    >>> instability([1.0, 1.0, 1.1, 2.0, 1.0], most=0.25)
    ['samples spread by more than 25%']
    """
    found = spread(samples_s)
    return [] if found is None or found <= most else [f"samples spread by more than {most:.0%}"]


def _point(first: WorkloadCost, second: WorkloadCost, most: float) -> WorkloadCost:
    samples = first.samples_s + second.samples_s
    disturbed = dict.fromkeys(first.unstable + second.unstable)
    for own in (first, second):
        for reason in instability(own.samples_s, most):
            disturbed.pop(reason, None)
    torch_peaks = ("torch_peak_allocated_bytes", "torch_peak_reserved_bytes")
    return first.model_copy(
        update={
            "samples_s": samples,
            "audio_s_per_s": first.duration_s * first.batch_size / median(samples),
            "joules_per_audio_hour": _of(fmean, first, second, "joules_per_audio_hour"),
            "unstable": [*disturbed, *instability(samples, most)],
            **{name: _of(max, first, second, name) for name in torch_peaks},
        }
    )


def _of(
    choose: Callable[[list[float]], float],
    first: CostRecord | WorkloadCost,
    second: CostRecord | WorkloadCost,
    name: str,
) -> float | None:
    values = [getattr(record, name) for record in (first, second)]
    known = [value for value in values if value is not None]
    return choose(known) if known else None
