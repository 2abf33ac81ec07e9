"""Peak memory: main memory from the kernel, the GPU's from NVML and torch."""

from __future__ import annotations

import resource
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from harness.profiling.gpu_monitor import GpuMonitor, other_pids, own_pid
from harness.profiling.nvml import GpuSnapshot
from harness.profiling.profiled_model import ProfiledModel, working
from harness.profiling.timing import Workload

STATUS = Path("/proc/self/status")
STEPS = 2
"""With the second, gradients and the optimiser's numbers are there from the start."""

Fields = dict[str, object]


@dataclass(frozen=True)
class Reading:
    """A number of bytes and where it was read."""

    bytes: int
    source: str


def peak_rss() -> Reading:
    """The most main memory this process has held.

    The kernel's VmHWM belongs to this program alone; getrusage, where there is no /proc, may
    carry over the peak of the process that started it.
    """
    if STATUS.exists():
        for line in STATUS.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return Reading(int(line.split()[1]) * 1024, "VmHWM")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Reading(peak if sys.platform == "darwin" else peak * 1024, "getrusage")


@dataclass(frozen=True)
class MemoryPeaks:
    """What a subject held of memory: in all, before it learned, and by torch at each point."""

    peak: Reading
    infer_peak: Reading
    torch_allocated: dict[Workload, int]
    torch_reserved: dict[Workload, int]

    @property
    def fields(self) -> Fields:
        """Of a cost record."""
        return {
            "peak_rss_bytes": self.peak.bytes,
            "peak_rss_source": self.peak.source,
            "infer_peak_rss_bytes": self.infer_peak.bytes,
            "torch_peak_allocated_bytes": max(self.torch_allocated.values(), default=None),
            "torch_peak_reserved_bytes": max(self.torch_reserved.values(), default=None),
        }


def measure_memory(subject: ProfiledModel, points: list[Workload]) -> MemoryPeaks:
    """Take a few steps at every point, all that infer first."""
    allocated, reserved = {}, {}
    infer_peak = peak_rss()
    for point in sorted(points, key=lambda point: point[0] != "infer"):
        if subject.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(subject.device)
        with working(subject, *point) as step:
            for _ in range(STEPS):
                step()
        if subject.device.type == "cuda":
            allocated[point] = torch.cuda.max_memory_allocated(subject.device)
            reserved[point] = torch.cuda.max_memory_reserved(subject.device)
        if point[0] == "infer":
            infer_peak = peak_rss()
    return MemoryPeaks(peak_rss(), infer_peak, allocated, reserved)


def gpu_fields(
    watch: GpuMonitor, before: GpuSnapshot | None = None
) -> tuple[Fields, dict[str, str]]:
    """What a watched GPU's memory says of this process, and why the rest is missing.

    Args:
        watch: over all of this process's work on the GPU
        before: a look from before torch used it; what the watch saw first when left out
    """
    seen = watch.seen
    if seen is None:
        return {}, dict.fromkeys(("peak_gpu_bytes", "gpu_device_peak_bytes"), str(watch.error))
    baseline = before.used_bytes if before else seen.baseline_bytes
    fields: Fields = {"gpu_baseline_bytes": baseline, "gpu_device_peak_bytes": seen.peak_bytes}
    missing = {"gpu_device_peak_bytes": f"watched in part: {seen.lost}"} if seen.lost else {}
    own = own_pid(seen, before)
    held = seen.process_peaks.get(own) if own is not None else None
    if held is not None:
        return fields | {"peak_gpu_bytes": held, "peak_gpu_source": "nvml-process"}, missing
    if others := other_pids(seen, own):
        reason = f"the driver gives no memory of this process, and {_pids(others)} use the GPU too"
        return fields, missing | {"peak_gpu_bytes": reason}
    rise = seen.peak_bytes - baseline
    return fields | {"peak_gpu_bytes": rise, "peak_gpu_source": "nvml-device-rise"}, missing


def _pids(pids: list[int]) -> str:
    return ", ".join(f"PID {pid}" for pid in pids)
