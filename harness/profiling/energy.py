"""Energy for an hour of audio, by the GPU's own counter."""

from __future__ import annotations

import time
from collections.abc import Callable

from harness.profiling.nvml import NVMLError, energy_j, handle_of
from harness.profiling.profiled_model import ProfiledModel, prepared_step
from harness.profiling.timing import Workload, synchronise

HOUR_S = 3600.0


class NoEnergy(Exception):
    """Energy cannot be measured here; the message says why."""


def joules_per_audio_hour(
    profiled: ProfiledModel, workloads: list[Workload], uuid: str | None, seconds: float
) -> dict[Workload, float]:
    """Joules of the whole GPU for an hour of audio, under each workload.

    Raises:
        NoEnergy: there is no counter.
    """
    if uuid is None:
        raise NoEnergy("the work ran on the CPU")
    try:
        handle = handle_of(uuid)
        return {
            workload: _joules_per_audio_hour(
                profiled, workload, seconds, lambda: _joules(energy_j(handle))
            )
            for workload in workloads
        }
    except NVMLError as error:
        raise NoEnergy(f"NVML: {error}") from error


def _joules_per_audio_hour(
    profiled: ProfiledModel, workload: Workload, seconds: float, read: Callable[[], float]
) -> float:
    _, duration_s, batch_size = workload
    with prepared_step(profiled, *workload) as step:
        taken_j, steps = measure_joules(step, lambda: synchronise(profiled.device), seconds, read)
    return taken_j / (steps * duration_s * batch_size) * HOUR_S


def measure_joules(
    step: Callable[[], None], wait: Callable[[], None], seconds: float, read: Callable[[], float]
) -> tuple[float, int]:
    """Joules that repeating a step takes, and how often it was repeated.

    Raises:
        NoEnergy: the counter stood still.
    """
    step()
    wait()
    steps, before_j, started = 0, read(), time.perf_counter()
    while time.perf_counter() - started < seconds:
        step()
        wait()
        steps += 1
    taken_j = read() - before_j
    if taken_j <= 0:
        raise NoEnergy(f"the energy counter stood still for {seconds:g} s")
    return taken_j, steps


def _joules(read: float | None) -> float:
    if read is None:
        raise NoEnergy("this GPU has no energy counter")
    return read
