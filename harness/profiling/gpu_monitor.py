"""Watches a GPU at a stated rate, from a process of its own. No torch here.

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
    """What was seen from the first look to the last."""

    baseline_bytes: int
    peak_bytes: int
    process_peaks: dict[int, int | None] = field(default_factory=dict)
    """By PID, empty where PIDs are hidden; None where the driver never told."""
    looks: int = 1
    lost: str | None = None
    """Why it could not look until the end."""

    @classmethod
    def first(cls, snapshot: GpuSnapshot) -> GpuUsage:
        """After the first look."""
        return cls(snapshot.used_bytes, snapshot.used_bytes, dict(snapshot.processes))

    def and_then(self, later: GpuSnapshot) -> GpuUsage:
        """After one more."""
        peaks = dict(self.process_peaks)
        for pid, used in later.processes.items():
            known = peaks.get(pid)
            peaks[pid] = used if known is None else max(known, used or 0)
        peak = max(self.peak_bytes, later.used_bytes)
        return replace(self, peak_bytes=peak, process_peaks=peaks, looks=self.looks + 1)


def own_pid(seen: GpuUsage, before: GpuSnapshot | None) -> int | None:
    """This process's PID as the driver knows it.

    In a container that may be the host's: then it is the one that came since this process began
    to use the GPU, if only one did.

    Args:
        seen: over all of this process's work on the GPU
        before: a look from before that work
    """
    if os.getpid() in seen.process_peaks:
        return os.getpid()
    new = seen.process_peaks.keys() - before.processes.keys() if before else set()
    return new.pop() if len(new) == 1 else None


def other_pids(seen: GpuUsage, own: int | None) -> list[int]:
    """The PIDs that are neither this process's nor that of the run that started it."""
    return sorted(seen.process_peaks.keys() - {own, os.getppid()})


@dataclass
class GpuMonitor:
    """A watch that is on; it knows what it saw once its block has ended."""

    seen: GpuUsage | None = None
    error: str | None = None
    """Why nothing could be seen."""


@contextmanager
def monitored(uuid: str | None, rate_hz: float) -> Iterator[GpuMonitor]:
    """Look at a GPU before, while and after a block runs; at nothing, if there is no GPU."""
    watch = GpuMonitor()
    if uuid is None:
        watch.error = "the work ran on the CPU"
        yield watch
        return
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_look_on, args=(uuid, rate_hz, theirs), daemon=True)
    process.start()
    theirs.close()
    watch.error = _received(ours)  # it has looked once, before anything of the block
    try:
        yield watch
    finally:
        if watch.error is None:
            found = _received(ours, "enough")
            watch.seen, watch.error = (
                (found, None) if isinstance(found, GpuUsage) else (None, found)
            )
        ours.close()
        process.join()


def _received(pipe: Connection, message: str | None = None) -> Any:
    """What the watching process answers, or that it is gone."""
    try:
        if message is not None:
            pipe.send(message)
        return pipe.recv()
    except (EOFError, OSError):
        return "the watching process was killed"


def _look_on(uuid: str, rate_hz: float, pipe: Connection) -> None:
    try:
        handle = handle_of(uuid)
        seen = GpuUsage.first(snapshot(handle))
    except NVMLError as error:
        pipe.send(f"NVML: {error}")
        return
    pipe.send(None)
    try:
        while not pipe.poll(1 / rate_hz):
            seen = seen.and_then(snapshot(handle))
        seen = seen.and_then(snapshot(handle))
    except NVMLError as error:
        seen = replace(seen, lost=str(error))
        pipe.poll(None)  # until the block has ended
    pipe.send(seen)
