"""Python's, numpy's and torch's global random numbers, borrowed and put back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def random_numbers_kept() -> Iterator[None]:
    """Whatever is drawn or seeded inside (on the CPU), outside it never happened.

    >>> torch.default_generator.manual_seed(1).initial_seed()
    1
    >>> with random_numbers_kept():
    ...     inside = torch.rand(1)
    >>> bool(torch.rand(1) == inside)
    True
    """
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - others draw there
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers that depend on `seed` alone inside; outside they go on undisturbed."""
    with random_numbers_kept():
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would reach for the GPU
        yield
