"""Peak memory: main memory from the kernel, the GPU's from NVML and torch."""

from __future__ import annotations

import resource
import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from harness.profiling.gpu_monitor import GpuMonitor, other_pids, own_pid
from harness.profiling.nvml import GpuSnapshot
from harness.profiling.profiled_model import ProfiledModel, prepared_step
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
    """Peaks of memory: of the process, before training, and by torch's count of each workload."""

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


def measure_memory(profiled: ProfiledModel, workloads: list[Workload]) -> MemoryPeaks:
    """Take a few steps of every workload, inference first."""
    allocated, reserved = {}, {}
    infer_peak = peak_rss()
    for workload in sorted(workloads, key=lambda workload: workload[0] != "infer"):
        if profiled.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(profiled.device)
        with prepared_step(profiled, *workload) as step:
            for _ in range(STEPS):
                step()
        if profiled.device.type == "cuda":
            allocated[workload] = torch.cuda.max_memory_allocated(profiled.device)
            reserved[workload] = torch.cuda.max_memory_reserved(profiled.device)
        if workload[0] == "infer":
            infer_peak = peak_rss()
    return MemoryPeaks(peak_rss(), infer_peak, allocated, reserved)


def gpu_fields(
    monitor: GpuMonitor, before: GpuSnapshot | None = None
) -> tuple[Fields, dict[str, str]]:
    """This process's GPU memory as fields of a cost record, and why others are missing.

    Args:
        monitor: over all of this process's work on the GPU
        before: from before torch used it; the monitor's first snapshot when left out
    """
    usage = monitor.usage
    if usage is None:
        return {}, dict.fromkeys(("peak_gpu_bytes", "gpu_device_peak_bytes"), str(monitor.error))
    baseline = before.used_bytes if before else usage.baseline_bytes
    fields: Fields = {"gpu_baseline_bytes": baseline, "gpu_device_peak_bytes": usage.peak_bytes}
    missing = {"gpu_device_peak_bytes": f"monitored in part: {usage.lost}"} if usage.lost else {}
    own = own_pid(usage, before)
    held = usage.process_peaks.get(own) if own is not None else None
    if held is not None:
        return fields | {"peak_gpu_bytes": held, "peak_gpu_source": "nvml-process"}, missing
    if others := other_pids(usage, own):
        reason = f"the driver gives no memory of this process, and {_pids(others)} use the GPU too"
        return fields, missing | {"peak_gpu_bytes": reason}
    rise = usage.peak_bytes - baseline
    return fields | {"peak_gpu_bytes": rise, "peak_gpu_source": "nvml-device-rise"}, missing


def _pids(pids: list[int]) -> str:
    return ", ".join(f"PID {pid}" for pid in pids)
