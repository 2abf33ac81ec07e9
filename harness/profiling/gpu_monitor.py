"""Monitors a GPU at a stated rate, from a process of its own. No torch here.

A thread of the measuring process would wait for the interpreter while kernels are launched, which
is just when memory peaks.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import Any

from harness.profiling.nvml import GpuSnapshot, NVMLError, handle_of, snapshot

MEMORY_HZ = 50.0
INTERFERENCE_HZ = 2.0
"""Often enough to see another process, and too rarely to slow what is being timed."""


@dataclass(frozen=True)
class GpuUsage:
    """What the snapshots of a GPU show together, from the first to the last."""

    baseline_bytes: int
    peak_bytes: int
    process_peaks: dict[int, int | None] = field(default_factory=dict)
    """By PID, empty where PIDs are hidden; None where the driver never says."""
    snapshots: int = 1
    lost: str | None = None
    """Why the GPU could not be monitored to the end."""

    @classmethod
    def first(cls, snapshot: GpuSnapshot) -> GpuUsage:
        """After the first snapshot."""
        return cls(snapshot.used_bytes, snapshot.used_bytes, dict(snapshot.processes))

    def updated(self, later: GpuSnapshot) -> GpuUsage:
        """After one more snapshot."""
        peaks = dict(self.process_peaks)
        for pid, used in later.processes.items():
            known = peaks.get(pid)
            peaks[pid] = used if known is None else max(known, used or 0)
        peak = max(self.peak_bytes, later.used_bytes)
        return replace(self, peak_bytes=peak, process_peaks=peaks, snapshots=self.snapshots + 1)


def own_pid(usage: GpuUsage, before: GpuSnapshot | None) -> int | None:
    """This process's PID as the driver knows it.

    In a container that may be the host's: then it is the one that came since this process began
    to use the GPU, if only one did.

    Args:
        usage: over all of this process's work on the GPU
        before: from before that work
    """
    if os.getpid() in usage.process_peaks:
        return os.getpid()
    new = usage.process_peaks.keys() - before.processes.keys() if before else set()
    return new.pop() if len(new) == 1 else None


def other_pids(usage: GpuUsage, own: int | None) -> list[int]:
    """The PIDs that are neither this process's nor that of the run that started it."""
    return sorted(usage.process_peaks.keys() - {own, os.getppid()})


@dataclass
class GpuMonitor:
    """Monitors a GPU while a block runs; `usage` is known once the block has ended."""

    usage: GpuUsage | None = None
    error: str | None = None
    """Why there is no usage."""


@contextmanager
def monitored(uuid: str | None, rate_hz: float) -> Iterator[GpuMonitor]:
    """Monitor a GPU before, while and after a block runs; nothing, if there is no GPU."""
    monitor = GpuMonitor()
    if uuid is None:
        monitor.error = "the work ran on the CPU"
        yield monitor
        return
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_take_snapshots, args=(uuid, rate_hz, theirs), daemon=True)
    process.start()
    theirs.close()
    monitor.error = _received(ours)  # the first snapshot is taken, before anything of the block
    try:
        yield monitor
    finally:
        if monitor.error is None:
            found = _received(ours, "enough")
            monitor.usage, monitor.error = (
                (found, None) if isinstance(found, GpuUsage) else (None, found)
            )
        ours.close()
        process.join()


def _received(pipe: Connection, message: str | None = None) -> Any:
    """What the monitoring process answers, or that it is gone."""
    try:
        if message is not None:
            pipe.send(message)
        return pipe.recv()
    except (EOFError, OSError):
        return "the monitoring process was killed"


def _take_snapshots(uuid: str, rate_hz: float, pipe: Connection) -> None:
    try:
        handle = handle_of(uuid)
        usage = GpuUsage.first(snapshot(handle))
    except NVMLError as error:
        pipe.send(f"NVML: {error}")
        return
    pipe.send(None)
    try:
        while not pipe.poll(1 / rate_hz):
            usage = usage.updated(snapshot(handle))
        usage = usage.updated(snapshot(handle))
    except NVMLError as error:
        usage = replace(usage, lost=str(error))
        pipe.poll(None)  # until the block has ended
    pipe.send(usage)
