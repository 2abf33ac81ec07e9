"""What NVML says of a GPU: its memory, who uses it, its energy. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pynvml

NVMLError: type[Exception] = pynvml.NVMLError


@dataclass(frozen=True)
class GpuSnapshot:
    """A GPU's memory and processes at one moment."""

    used_bytes: int
    processes: Mapping[int, int | None]
    """Memory by PID; None where the driver does not say. Empty where PIDs are hidden."""


def handle_of(uuid: str) -> Any:
    """NVML's handle of the GPU, or of the part of one (MIG), that torch names by `uuid`.

    NVML ignores CUDA_VISIBLE_DEVICES, so that its indices differ from torch's: only the UUID names
    a device.

    Raises:
        NVMLError: no driver, no library, or no such GPU.
    """
    pynvml.nvmlInit()
    bare = uuid.removeprefix("GPU-").removeprefix("MIG-")
    try:
        return pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{bare}")
    except pynvml.NVMLError_NotFound:
        return pynvml.nvmlDeviceGetHandleByUUID(f"MIG-{bare}")


def snapshot(handle: Any) -> GpuSnapshot:
    """Memory and processes now."""
    used_bytes = int(pynvml.nvmlDeviceGetMemoryInfo(handle).used)
    running = pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
    processes = {process.pid: _bytes(process.usedGpuMemory) for process in running}
    return GpuSnapshot(used_bytes, processes)


def snapshot_all() -> dict[str, GpuSnapshot]:
    """Every GPU now, by UUID; none where there is no NVML."""
    found = {}
    try:
        for uuid in uuids():
            found[uuid] = snapshot(handle_of(uuid))
    except NVMLError:
        pass
    return found


def free_bytes_of_all() -> list[int]:
    """Free memory of every GPU now; none where there is no NVML."""
    try:
        return [int(pynvml.nvmlDeviceGetMemoryInfo(handle_of(uuid)).free) for uuid in uuids()]
    except NVMLError:
        return []


def uuids() -> list[str]:
    """The UUIDs of all GPUs, in NVML's order.

    Raises:
        NVMLError: no driver or no library.
    """
    pynvml.nvmlInit()
    handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
    return [str(pynvml.nvmlDeviceGetUUID(handle)) for handle in handles]


def name_of(handle: Any) -> str:
    """What NVML calls a GPU."""
    return str(pynvml.nvmlDeviceGetName(handle))


def energy_j(handle: Any) -> float | None:
    """Joules since the driver was loaded; None where there is no counter, as on MIG."""
    try:
        return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000
    except pynvml.NVMLError_NotSupported:
        return None


def driver_version() -> str | None:
    """The NVIDIA driver's version; None without one."""
    try:
        pynvml.nvmlInit()
        return str(pynvml.nvmlSystemGetDriverVersion())
    except NVMLError:
        return None


def _bytes(used: int | None) -> int | None:
    # a process that computes holds something: in containers some drivers say 0 instead of nothing
    return int(used) if used else None
