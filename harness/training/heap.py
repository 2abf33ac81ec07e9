"""Memory that a step frees stays with the process, for the next step."""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # names and numbers of glibc's malloc.h
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
