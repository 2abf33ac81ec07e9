"""The threads that a run has beside the one that computes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier

import torch

from harness.batches import DECODING_THREADS

LARGE = 1 << 20  # numbers, so many that torch shares them out among its own threads


@contextmanager
def gathering_threads() -> Iterator[None]:
    """Idle threads that have computed once, as those that gather a run's batches.

    OpenMP counts them: with more threads than cores it no longer lets one spin while it waits for
    another. Where all cores are taken, spinning makes each product some milliseconds slower, and
    where they are free some microseconds faster; neither is what a run sees.
    """
    together = Barrier(DECODING_THREADS)

    def compute(_: int) -> None:
        torch.ones(LARGE).mul_(2.0)
        together.wait()  # so that one thread does not do it for all

    with ThreadPoolExecutor(DECODING_THREADS, thread_name_prefix="gather") as pool:
        list(pool.map(compute, range(DECODING_THREADS)))
        yield
