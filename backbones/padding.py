"""Arithmetic over a padded batch in which padding never counts.

A row's real positions come first; `lengths` (B,) says how many they are.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from backbones.cards import BackboneError

Convolution = tuple[int, int]
"""Kernel width and stride of an unpadded convolution, in positions of its input."""


def valid_mask(lengths: Tensor, width: int) -> Tensor:
    """True at positions below each row's length.

    Shape:
        lengths: (B,)
        output: (B, width), bool

    >>> valid_mask(torch.tensor([2, 1]), 3).tolist()
    [[True, True, False], [True, False, False]]
    """
    return torch.arange(width, device=lengths.device)[None, :] < lengths[:, None]


def lengths_from_mask(input_values: Tensor, attention_mask: Tensor | None) -> Tensor:
    """Samples per row, from a Hugging Face attention mask of any number type.

    Shape:
        input_values: (B, S)
        attention_mask: (B, S) or None (every sample is real)
        output: (B,), int64

    Raises:
        BackboneError: the shapes differ, or a row has padding before a real sample.

    >>> lengths_from_mask(torch.zeros(1, 4), torch.tensor([[1.0, 1.0, 1.0, 0.0]]))
    tensor([3])
    """
    batch, width = input_values.shape
    if attention_mask is None:
        return torch.full((batch,), width, device=input_values.device)
    if attention_mask.shape != input_values.shape:
        raise BackboneError(
            f"attention_mask has shape {tuple(attention_mask.shape)}, "
            f"input_values {tuple(input_values.shape)}: they must match"
        )
    real = attention_mask != 0
    lengths = real.sum(1)
    if not torch.equal(real, valid_mask(lengths, width)):
        raise BackboneError(
            "attention_mask must be ones followed by zeros in every row: "
            "real samples come first, padding after them"
        )
    return lengths


def zero_padding(values: Tensor, lengths: Tensor) -> Tensor:
    """Zeros beyond each row's length, whatever stood there.

    Shape:
        values: (B, F, ...)
        output: (B, F, ...)

    >>> zero_padding(torch.ones(2, 3), torch.tensor([3, 1])).tolist()
    [[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]]
    """
    padding = ~valid_mask(lengths, values.shape[1])
    return values.masked_fill(padding.view(*padding.shape, *(1,) * (values.ndim - 2)), 0)


def standardise(values: Tensor, lengths: Tensor, epsilon: float) -> Tensor:
    """Mean 0 and variance 1 along the last axis, over each row's own positions.

    The variance is the biased one; padding must be finite and becomes 0.

    Shape:
        values: (B, ..., F)
        output: (B, ..., F), float32

    >>> standardise(torch.tensor([[1.0, 3.0, 9.0]]), torch.tensor([2]), 0.0).tolist()
    [[-1.0, 1.0, 0.0]]
    """
    ones = (1,) * (values.ndim - 2)
    mask = valid_mask(lengths, values.shape[-1]).view(-1, *ones, values.shape[-1])
    count = lengths.view(-1, *ones, 1)
    values = values.float()
    mean = (values * mask).sum(-1, keepdim=True) / count
    centred = (values - mean) * mask
    variance = centred.square().sum(-1, keepdim=True) / count
    return centred * torch.rsqrt(variance + epsilon)


def group_norm(norm: nn.GroupNorm, values: Tensor, lengths: Tensor) -> Tensor:
    """A GroupNorm of one channel per group that leaves padding out of its statistics.

    Shape:
        values: (B, C, F)
        output: (B, C, F), the dtype of values
    """
    normal = standardise(values, lengths, norm.eps)
    scaled = normal * norm.weight[:, None] + norm.bias[:, None]
    return scaled.to(values.dtype)


def frames_after(lengths: Tensor, convolutions: Iterable[Convolution]) -> Tensor:
    """How many positions are left of each row after a stack of unpadded convolutions.

    Shape:
        lengths: (B,)
        output: (B,)

    >>> wav2vec2 = [(10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2)]
    >>> frames_after(torch.tensor([399, 400, 16_000, 48_000]), wav2vec2).tolist()
    [0, 1, 49, 149]
    """
    for kernel, stride in convolutions:
        lengths = (torch.div(lengths - kernel, stride, rounding_mode="floor") + 1).clamp(min=0)
    return lengths


def receptive_field(convolutions: Iterable[Convolution]) -> int:
    """The fewest positions that give one output.

    >>> receptive_field([(10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2)])
    400
    """
    width = 1
    for kernel, stride in reversed(list(convolutions)):
        width = (width - 1) * stride + kernel
    return width
