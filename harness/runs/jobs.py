"""How many workers run side by side, and on which devices."""

from __future__ import annotations

import os
from dataclasses import replace

import psutil
import torch

from harness.errors import UserError
from harness.profiling.nvml import free_bytes_of_all
from harness.runs.runtime_options import RuntimeOptions
from harness.training.devices import check_device

CPU_WORKER_BYTES = 3e9
"""What a worker on the CPU may take: its packages, a backbone of base size and a batch."""
GPU_WORKER_BYTES = 8e9
"""What one may take of a GPU."""


def devices_of(device: str) -> tuple[str, ...]:
    """The devices that a run is spread over: of "cuda" and "auto" all GPUs that torch sees.

    >>> devices_of("cpu")
    ('cpu',)

    Raises:
        UserError: a GPU was asked for that torch does not see.
    """
    named = tuple(part.strip() for part in device.split(","))
    if len(named) > 1 and not all(part.startswith("cuda:") for part in named):
        raise UserError(f"--device {device}: several are all to be GPUs, such as cuda:0,cuda:2")
    for part in named:
        check_device(part)
    if device in ("auto", "cuda") and torch.cuda.is_available():
        return tuple(f"cuda:{number}" for number in range(torch.cuda.device_count()))
    return ("cpu",) if device == "auto" else tuple(dict.fromkeys(named))


def worker_devices(options: RuntimeOptions) -> tuple[str, ...]:
    """The device of each worker, one worker on every device before a second one on any.

    However few trials are left: the threads that each has, and so its numbers, hang on it.
    """
    devices = devices_of(options.device)
    return devices * (_that_pay(devices) if options.jobs is None else options.jobs)


def on_one_device(options: RuntimeOptions) -> RuntimeOptions:
    """For what is done on the first of several."""
    return replace(options, device=options.device.partition(",")[0].strip())


def threads_of(options: RuntimeOptions, workers: int) -> int | None:
    """Threads of arithmetic of each worker: what was asked for, or a like share of the cores.

    None leaves them to torch, where there is one worker.
    """
    if options.threads is not None or workers == 1:
        return options.threads
    return max(1, cores() // workers)


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _that_pay(devices: tuple[str, ...]) -> int:
    """Workers on each device: a core each, as long as there is memory for all of them."""
    free_bytes = psutil.virtual_memory().available
    most = min(cores() // len(devices), int(free_bytes / CPU_WORKER_BYTES / len(devices)))
    if devices[0].startswith("cuda"):
        # by NVML, since asking torch would take memory of each; of GPUs that it hides, too
        most = min([most, *(int(free / GPU_WORKER_BYTES) for free in free_bytes_of_all())])
    return max(1, most)
