"""Other processes on the device while a measurement was made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from harness.profiling.gpu_monitor import GpuMonitor, other_pids

MAX_SHARE = 0.1
"""Share of this process's processors that others may take before a measurement is unstable."""

IDLE = ("idle", "iowait")
COUNTED_TWICE = ("guest", "guest_nice")
"""Linux counts these in `user` and `nice` too."""


@dataclass
class Interference:
    """The share of the processors that other processes took; known once the block has ended."""

    share: float = 0.0

    @property
    def reasons(self) -> list[str]:
        """Why a measurement on the CPU is unstable."""
        if self.share <= MAX_SHARE:
            return []
        return [f"other programs took {self.share:.0%} of the processors"]


@contextmanager
def monitored_processors() -> Iterator[Interference]:
    """Measure what others, hypervisors included, take of the processors while a block runs.

    Only of those that this process may use: what runs on the rest of a large machine, beside a
    container that was given a few of them, takes nothing away.
    """
    interference = Interference()
    before = _clocks()
    yield interference
    all_s, busy_s, own_s = (after - first for after, first in zip(_clocks(), before, strict=True))
    interference.share = max(0.0, (busy_s - own_s) / all_s) if all_s > 0 else 0.0


def gpu_interference(monitor: GpuMonitor, own: int | None) -> list[str]:
    """Why a measurement on a monitored GPU is unstable; `own` is this process's PID there."""
    usage = monitor.usage
    if usage is None:
        return []
    reasons = [f"another process used the GPU: PID {pid}" for pid in other_pids(usage, own)]
    return reasons + (
        [f"the GPU could not be monitored to the end: {usage.lost}"] if usage.lost else []
    )


def _clocks() -> tuple[float, float, float]:
    """Seconds of the usable processors, of those in use, and of this process with its children."""
    clocks = psutil.cpu_times(percpu=True)
    if hasattr(os, "sched_getaffinity"):
        clocks = [clocks[number] for number in os.sched_getaffinity(0) if number < len(clocks)]
    times = [clock._asdict() for clock in clocks]
    all_s = sum(sum(t.values()) - sum(t.get(name, 0.0) for name in COUNTED_TWICE) for t in times)
    busy_s = all_s - sum(t.get(name, 0.0) for t in times for name in IDLE)
    own = os.times()
    return all_s, busy_s, own.user + own.system + own.children_user + own.children_system
