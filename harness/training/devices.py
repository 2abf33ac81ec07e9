"""Device and precision, through accelerate."""

from __future__ import annotations

import ctypes
import errno
import gc
import re
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState

from harness.errors import TrialTimeout, UserError, choices
from harness.model.dtypes import DTYPES
from harness.results.environment import processor
from harness.results.records import Status
from harness.specs import DtypeName, Precision

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # names and numbers of glibc's malloc.h


def make_accelerator(device: str, precision: Precision) -> Accelerator:
    """An accelerator for "auto", "cpu" or "cuda[:N]".

    "auto" precision is bfloat16 where the device is faster in it, and float32 elsewhere. float32 is
    all of its 23 bits: a GPU's convolutions would take TensorFloat-32 for it, which has 10.

    Raises:
        UserError: a GPU was asked for and torch sees none, or fp16 was asked for without one.
    """
    check_device(device)
    on_cpu = device == "cpu" or not torch.cuda.is_available()
    check_precision(precision, on_cpu=on_cpu)
    if ":" in device:
        torch.cuda.set_device(int(device.partition(":")[2]))
    # accelerate keeps its state in singletons; a run's trials may differ in precision
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
    if on_cpu:
        keep_freed_memory()
    torch.backends.cudnn.allow_tf32 = False
    mixed = {"auto": _best_precision(on_cpu), "float32": "no"}.get(precision, precision)
    return Accelerator(cpu=on_cpu, mixed_precision=mixed)


def precision_name(accelerator: Accelerator) -> DtypeName:
    """The precision in force, in the suite's words; accelerate's "no" is float32."""
    mixed = str(accelerator.mixed_precision)
    return next((name for name in DTYPES if name == mixed), "float32")


def check_device(device: str) -> None:
    """Refuse what is not to be had, without taking anything of a GPU.

    Raises:
        UserError: it is no device, or torch does not see it.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise UserError(f"--device {device}: {choices(device, ('auto', 'cpu', 'cuda', 'cuda:N'))}")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise UserError(
            f"--device {device}: torch sees no GPU. Check `nvidia-smi`, that torch is a CUDA "
            "build, and in a container that it was started with --gpus; or use --device cpu"
        )
    count = torch.cuda.device_count()
    if ":" in device and int(device.partition(":")[2]) >= count:
        raise UserError(f"--device {device}: torch sees {count} GPUs, cuda:0 to cuda:{count - 1}")


def check_precision(precision: Precision, *, on_cpu: bool) -> None:
    """Refuse what a device cannot do.

    Raises:
        UserError: fp16 on a CPU.
    """
    if precision == "fp16" and on_cpu:
        raise UserError("precision fp16 needs a GPU: use float32, bf16 or auto")


def _best_precision(on_cpu: bool) -> str:
    if on_cpu:
        return "bf16" if cpu_has_fast_bfloat16() else "no"
    return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "no"


def cpu_has_fast_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware; others are slower in it."""
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


_NO_MEMORY = ("can't allocate memory", "Cannot allocate memory", "bad_alloc")


def status_of(error: BaseException) -> Status:
    """How a trial that raised `error` ended."""
    if isinstance(error, TrialTimeout):
        return "timeout"
    if error.__cause__ is not None and status_of(error.__cause__) == "oom":
        return "oom"
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return "oom"
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return "oom"
    # allocators of torch, and maps of files, tell it by a plain RuntimeError
    if isinstance(error, RuntimeError) and any(text in str(error) for text in _NO_MEMORY):
        return "oom"
    return "failed"


def release_memory() -> None:
    """Give back what finished trials no longer use, the GPU's cached blocks included."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def device_name(device: torch.device) -> str:
    """Name of the GPU, or of the processor."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor()


def device_info(device: torch.device) -> dict[str, Any]:
    """What to record of the device: its name, and on a GPU its memory and CUDA's version."""
    facts: dict[str, Any] = {
        "device": str(device),
        "device_name": device_name(device),
        "threads": torch.get_num_threads(),
    }
    if device.type == "cuda":
        memory_bytes = torch.cuda.get_device_properties(device).total_memory
        facts |= {"device_memory_bytes": memory_bytes, "cuda": torch.version.cuda}
    return facts


KEPT_BYTES = 2**31 - 1
BLOCK_BYTES = 2**25


def keep_freed_memory() -> bool:
    """Let glibc keep what is freed, in blocks of up to 32 MiB; whether it could be told so.

    By default it hands a large block back to the system at once, and the next tensor of that size
    is fetched anew page by page: a quarter of a training step of WavLM on a CPU. Larger blocks
    still go back, since keeping them could cost several times their size in gaps between others.
    Other systems' allocators are left alone.
    """
    try:
        tell = ctypes.CDLL(None).mallopt
    except (AttributeError, TypeError, OSError):  # TypeError: Windows has no library "None"
        return False
    return bool(tell(M_MMAP_THRESHOLD, BLOCK_BYTES)) and bool(tell(M_TRIM_THRESHOLD, KEPT_BYTES))
