"""Values brought to mean 0 and deviation 1 in every dimension, as measured on train."""

from __future__ import annotations

import torch
from torch import Tensor, nn

MIN_DEVIATION = 1e-5
"""A dimension that varies less is constant, and is only centred."""


class Standardise(nn.Module):
    """(x − mean) / deviation for each dimension, in float32; no gradient changes the two.

    Backbones give values of very different size, from one dimension to the next and one backbone
    to the next; without this, what a head learns in the steps it has hangs on that size.

    Shape:
        input and output: (..., width)

    >>> standardise = Standardise(width=2)
    >>> standardise.set(torch.tensor([1.0, 5.0]), torch.tensor([2.0, 0.0]))
    >>> standardise(torch.tensor([[3.0, 5.0]]))
    tensor([[1., 0.]])
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))

    def set(self, mean: Tensor, deviation: Tensor) -> None:
        """Take over what was measured, (width,) each."""
        self.mean.copy_(mean)
        self.deviation.copy_(deviation.where(deviation > MIN_DEVIATION, 1.0))

    def forward(self, values: Tensor) -> Tensor:
        """Standardise each vector."""
        return (values.float() - self.mean) / self.deviation


class Moments:
    """Mean and deviation over utterances that count the same, however many frames each has."""

    def __init__(self) -> None:
        self.utterances = 0
        self.mean: Tensor | float = 0.0
        self.square: Tensor | float = 0.0

    def add(self, values: Tensor, mask: Tensor) -> None:
        """Take in a batch.

        Shape:
            values: (B, F, D)
            mask: (B, F), True where a frame is real
        """
        real = values.double().masked_fill(~mask[..., None], 0.0)
        count = mask.sum(1, keepdim=True)
        self.utterances += len(values)
        self.mean = self.mean + (real.sum(1) / count).sum(0)
        self.square = self.square + (real.square().sum(1) / count).sum(0)

    def found(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation, (D,) each.

        Raises:
            ValueError: nothing was taken in.
        """
        if not isinstance(self.mean, Tensor) or not isinstance(self.square, Tensor):
            raise ValueError("there are no utterances to measure")
        mean = self.mean / self.utterances
        variance = self.square / self.utterances - mean.square()
        return mean, variance.clamp(min=0.0).sqrt()
