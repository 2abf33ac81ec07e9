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
    """Mean and deviation over utterances that count the same, however many frames each has.

    Batches are merged as Chan, Golub and LeVeque do (1983): squares are of differences alone, so
    that a dimension which stands at a large value is not taken to vary.
    """

    def __init__(self) -> None:
        self._utterances = 0
        self._mean = self._squares = torch.zeros(())

    def add(self, values: Tensor, mask: Tensor) -> None:
        """Take in a batch.

        Shape:
            values: (B, F, D)
            mask: (B, F), True where a frame is real
        """
        padding, count = ~mask[..., None], mask.sum(1, keepdim=True)
        means = values.double().masked_fill(padding, 0.0).sum(1) / count
        within = (values.double() - means[:, None]).masked_fill(padding, 0.0).square().sum(
            1
        ) / count
        mean = means.mean(0)
        squares = (within + (means - mean).square()).sum(0)
        before, added = self._utterances, len(values)
        self._utterances += added
        if before == 0:
            self._mean, self._squares = mean, squares
            return
        apart = mean - self._mean
        self._mean = self._mean + apart * added / self._utterances
        self._squares = self._squares + squares
        self._squares = self._squares + apart.square() * before * added / self._utterances

    def found(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation, (D,) each.

        Raises:
            ValueError: nothing was taken in.
        """
        if self._utterances == 0:
            raise ValueError("there are no utterances to measure")
        return self._mean, (self._squares / self._utterances).sqrt()
