"""How long steps take, and how much a device computes in that time."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import product
from typing import get_args

import torch

from harness.data.batches import BATCHES_AHEAD
from harness.profiling.profiled_model import ProfiledModel, prepared_step
from harness.results.records import Mode
from harness.specs import CostSpec

Workload = tuple[Mode, float, int]
"""A mode, a duration in seconds and a batch size."""

MODES: tuple[Mode, ...] = get_args(Mode)

WARM_UPS: dict[Mode, int] = {"infer": 1, "train": 1, "train_end_to_end": BATCHES_AHEAD + 1}
"""End to end, the first batches were decoded before anything is timed."""

MATMUL_SIZE = {"cpu": 2048, "cuda": 8192}
MATMUL_REPEATS = 10


def workloads_of(cost: CostSpec) -> list[Workload]:
    """The workloads that a cost pass measures, in its order."""
    return list(product(MODES, cost.durations_s, cost.batch_sizes))


def time_all(profiled: ProfiledModel, cost: CostSpec) -> dict[Workload, list[float]]:
    """Wall seconds of every step of every workload."""
    samples: dict[Workload, list[float]] = {}
    for workload in workloads_of(cost):
        steps = cost.infer_steps if workload[0] == "infer" else cost.train_steps
        with prepared_step(profiled, *workload) as step:
            samples[workload] = timed(step, steps, profiled.device, WARM_UPS[workload[0]])
    return samples


def timed(
    step: Callable[[], object], repeats: int, device: torch.device, warm_ups: int = 1
) -> list[float]:
    """Wall seconds of each of `repeats` steps, after some warm-up steps of the same shape."""
    samples = []
    for _ in range(warm_ups):
        step()
    for _ in range(repeats):
        synchronise(device)
        started = time.perf_counter()
        step()
        synchronise(device)
        samples.append(time.perf_counter() - started)
    return samples


def synchronise(device: torch.device) -> None:
    """Wait until the device has done everything asked of it so far."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matmul_peak(device: torch.device, dtype: torch.dtype) -> float:
    """FLOPs per second of the fastest of some large products of square matrices."""
    size = MATMUL_SIZE[device.type]
    left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    with torch.inference_mode():
        fastest_s = min(timed(lambda: left @ right, MATMUL_REPEATS, device))
    return 2 * size**3 / fastest_s
