"""What this machine can measure and, of the rest, why not."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psutil
import torch
from torch.nn.functional import conv1d

from harness.diagnostics import Check
from harness.profiling.measurement import uuid_of
from harness.profiling.nvml import (
    NVMLError,
    driver_version,
    energy_j,
    handle_of,
    name_of,
    snapshot,
    uuids,
)
from harness.profiling.timing import MATMUL_REPEATS, MATMUL_SIZE, matmul_peak, timed
from harness.results.environment import processor
from harness.training.devices import cpu_has_fast_bfloat16

MIN_MEMORY_GB = 4.0
SLOW_BLAS = 1.4
"""From here on a BLAS is slow beside oneDNN; they differ by a few per cent where both are good."""

GIGA = 1e9


def examine_machine() -> Iterator[Check]:
    """Every check of this machine, each as soon as it is made; some seconds in all."""
    yield _processor()
    yield _memory()
    yield from _speeds()
    yield from _gpus()


def _processor() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Check(
        "machine",
        "processor",
        f"{processor()}; {cores} cores, torch uses {torch.get_num_threads()} threads",
    )


def _memory() -> Check:
    memory = psutil.virtual_memory()
    detail = f"{memory.available / GIGA:.1f} GB free of {memory.total / GIGA:.1f} GB"
    enough = memory.available >= MIN_MEMORY_GB * GIGA
    return Check("machine", "memory", detail, ok=True if enough else None)


def _speeds() -> Iterator[Check]:
    """How fast large matrix products are in each precision, and by which library."""
    cpu = torch.device("cpu")
    float32 = matmul_peak(cpu, torch.float32)
    onednn = _convolution_flops()
    detail = f"{float32 / GIGA:.0f} GFLOP/s"
    if onednn > SLOW_BLAS * float32:
        detail += (
            f", where oneDNN reaches {onednn / GIGA:.0f}: this BLAS is slow on this processor, so "
            "float32 costs on the CPU say more of it than of the backbones; use precision: bf16, "
            "or a torch built with another BLAS"
        )
        yield Check("machine", "float32 on the CPU", detail, ok=None)
    else:
        yield Check("machine", "float32 on the CPU", detail)
    if cpu_has_fast_bfloat16():
        bf16 = matmul_peak(cpu, torch.bfloat16)
        yield Check("machine", "bf16 on the CPU", f"in hardware, {bf16 / GIGA:.0f} GFLOP/s")
    else:
        detail = "this processor has no bf16 in hardware, so precision: auto is float32"
        yield Check("machine", "bf16 on the CPU", detail, ok=None)


def _convolution_flops() -> float:
    """FLOPs per second of oneDNN: a convolution of width 1 is a matrix product."""
    size = MATMUL_SIZE["cpu"]
    values, weight = torch.randn(1, size, size), torch.randn(size, size, 1)
    with torch.inference_mode():
        fastest_s = min(timed(lambda: conv1d(values, weight), MATMUL_REPEATS, torch.device("cpu")))
    return 2 * size**3 / fastest_s


def _gpus() -> Iterator[Check]:
    try:
        gpus = uuids()
    except NVMLError as error:
        gpus, reason = [], str(error)
    else:
        reason = "NVML sees no GPU"
    if not torch.cuda.is_available():
        yield _no_gpu(gpus, reason)
        return
    if not gpus:
        detail = f"torch sees a GPU, NVML does not ({reason}): memory is torch's own count alone"
        yield Check("machine", "NVML", detail, ok=None)
        return
    for index in range(torch.cuda.device_count()):
        yield from _gpu(torch.device("cuda", index))


def _no_gpu(gpus: list[str], reason: str) -> Check:
    if not gpus:
        detail = (
            f"none ({reason}); GPU memory and energy cannot be measured. If there is one, look "
            "for its driver, or start the container with --gpus all"
        )
        return Check("machine", "GPU", detail, ok=None)
    build = f"a build for CUDA {torch.version.cuda}" if torch.version.cuda else "a build for CPUs"
    detail = (
        f"NVML sees {len(gpus)} ({', '.join(gpus)}) with driver {driver_version()}, torch sees "
        f"none: it is {build}; install one that fits the driver, and check CUDA_VISIBLE_DEVICES"
    )
    return Check("machine", "GPU", detail, ok=False)


def _gpu(device: torch.device) -> Iterator[Check]:
    """Whether NVML knows torch's device, sees this process on it, and counts its energy."""
    subject = f"machine, {device}"
    torch_name = torch.cuda.get_device_name(device)
    try:
        handle = handle_of(str(uuid_of(device)))
        nvml_name = name_of(handle)
        block = torch.ones(1, device=device)  # this process is on the device from here on
        visible = os.getpid() in snapshot(handle).processes
        del block
        joules = energy_j(handle)
    except NVMLError as error:
        yield Check(subject, "NVML", f"{torch_name} is not known to it: {error}", ok=False)
        return
    with torch.cuda.device(device):
        bf16 = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "no bf16"
    same = torch_name == nvml_name
    detail = f"{torch_name}, {bf16}, driver {driver_version()}"
    yield Check(subject, "GPU", detail if same else f"{detail}; NVML calls it {nvml_name}", ok=same)
    hidden = "not visible, as in a container without --pid=host: memory is the device's rise"
    yield Check(subject, "PIDs", "visible" if visible else hidden, ok=True if visible else None)
    none = "no counter on this GPU (before Volta, or a MIG instance)"
    counted = joules is not None
    yield Check(subject, "energy", "counted" if counted else none, ok=True if counted else None)
