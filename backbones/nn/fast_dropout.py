"""Dropout that does not wait for random numbers.

On a CPU torch draws a random number for every value one after another, which takes as long as
the large products of a training step. Here one draw of 64 bits serves four values.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

LEVELS = 1 << 16  # of the random numbers, so a rate is held to 1 in 65,536
LOWEST = -(1 << 15)  # of 16 bits with a sign


class Dropout(nn.Module):
    """As torch's: each value is 0 with probability `p`, and the others grow to make up for it."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, values: Tensor) -> Tensor:
        """Drop some values while training."""
        return dropout(values, self.p) if self.training else values


def dropout(values: Tensor, p: float) -> Tensor:
    """Set each value to 0 with probability `p`, and divide the others by 1 - p.

    >>> dropout(torch.ones(3), 0.0)
    tensor([1., 1., 1.])
    """
    dropped = round(p * LEVELS)
    if dropped == 0:
        return values
    if values.device.type != "cpu" or dropped == LEVELS:
        return functional.dropout(values, p)
    draws = random_bits(-(-values.numel() // 4))
    bits = draws.view(torch.int16)[: values.numel()].view(values.shape)
    return values * _factors(bits.ge_(dropped + LOWEST), LEVELS / (LEVELS - dropped), values.dtype)


def _factors(kept: Tensor, factor: float, dtype: torch.dtype) -> Tensor:
    """The factor where `kept`, an int16 tensor, is 1, and 0 where it is 0."""
    if dtype.itemsize > kept.dtype.itemsize:
        return kept.to(dtype).mul_(factor)
    # in half precision in place: the factor's own bits, taken as a whole number, times 0 or 1
    bits = int(torch.tensor(factor, dtype=dtype, device="cpu").view(torch.int16))
    return kept.mul_(bits).view(dtype)


def random_bits(count: int) -> Tensor:
    """So many times 64 random bits, of a stream that begins with a draw from torch's own.

    NumPy's SFC64 is twice as fast as torch's generator, and these draws wait for one thread.

    Shape:
        output: (count,), int64
    """
    seed = int(torch.randint(1 << 62, (), device="cpu"))  # wherever tensors are made by default
    return torch.from_numpy(np.random.SFC64(seed).random_raw(count).view(np.int64))


def draw_fast(network: nn.Module) -> None:
    """Put `Dropout` in the place of torch's, everywhere in a network."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Dropout:
                setattr(module, name, Dropout(child.p))
