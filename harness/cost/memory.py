"""Peak memory of this process: main memory from the kernel, GPU memory from NVML and torch."""

from __future__ import annotations

import os
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pynvml
import torch

STATUS = Path("/proc/self/status")


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
class GpuMeter:
    """NVML's view of the GPU that torch uses, with what was in use before we began."""

    uuid: str
    baseline_bytes: int

    def read(self) -> Reading | None:
        """Bytes this process holds on the device now; after the work, that is its peak.

        Torch's allocator keeps what it once reserved. In a container NVML cannot see our PID:
        then it is the device's rise over its baseline, and the source says so.
        """
        try:
            handle = _handle(self.uuid)
            for process in pynvml.nvmlDeviceGetComputeRunningProcesses(handle):
                if process.pid == os.getpid() and process.usedGpuMemory is not None:
                    return Reading(int(process.usedGpuMemory), "nvml-process")
            return Reading(_used_bytes(handle) - self.baseline_bytes, "nvml-device-rise")
        except pynvml.NVMLError:
            return None


def gpu_meter(device: torch.device) -> GpuMeter | None:
    """A meter for a CUDA device; None without one or without NVML.

    To be called before the first tensor goes to the device.
    """
    if device.type != "cuda":
        return None
    # NVML ignores CUDA_VISIBLE_DEVICES, so that indices differ: only the UUID names a device
    uuid = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
    try:
        return GpuMeter(uuid, _used_bytes(_handle(uuid)))
    except pynvml.NVMLError:
        return None


def _handle(uuid: str) -> Any:
    pynvml.nvmlInit()
    return pynvml.nvmlDeviceGetHandleByUUID(uuid)


def _used_bytes(handle: Any) -> int:
    return int(pynvml.nvmlDeviceGetMemoryInfo(handle).used)
