"""What torch calls the device of a run, found without taking any memory of a GPU.

Torch opens a context on a GPU before it tells its name: hundreds of megabytes that a process which
only waits for others would hold as long as they measure. The driver of CUDA, whose names torch
gives, needs none, and numbers GPUs and parts of them (MIG) as torch does; NVML does neither.
"""

from __future__ import annotations

import ctypes
import os

import torch

from harness.errors import UserError
from harness.results.environment import processor
from harness.training.devices import check_device

_DRIVER = "nvcuda" if os.name == "nt" else "libcuda.so.1"
_LONGEST = 256


def name_of_device(device: str) -> str:
    """Name of the processor or GPU that "auto", "cpu" or "cuda[:N]" stands for.

    Raises:
        UserError: it is no device, torch does not see it, or the driver does not name it.
    """
    check_device(device)
    if device == "cpu" or not torch.cuda.is_available():
        return processor()
    return gpu_name(int(device.partition(":")[2] or 0))


def gpu_name(number: int) -> str:
    """What the driver calls the GPU that torch calls cuda:`number`.

    Raises:
        UserError: there is no driver or no such GPU.
    """
    found, name = ctypes.c_int(), ctypes.create_string_buffer(_LONGEST)
    try:
        driver = ctypes.CDLL(_DRIVER)
    except OSError as error:
        raise UserError(f"cuda:{number} has no name: there is no driver of CUDA: {error}") from None
    codes = (
        driver.cuInit(0),
        driver.cuDeviceGet(ctypes.byref(found), number),
        driver.cuDeviceGetName(name, _LONGEST, found),
    )
    if any(codes):
        told = next(code for code in codes if code)
        raise UserError(
            f"cuda:{number} has no name: the driver of CUDA answers with error {told}; "
            "check `nvidia-smi` and CUDA_VISIBLE_DEVICES"
        )
    return name.value.decode()
