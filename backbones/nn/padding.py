"""Arithmetic over a padded batch in which padding never counts.

A row's real positions come first; `lengths` (B,) says how many they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from backbones.cards import BackboneError

Convolution = tuple[int, int]
"""Kernel width and stride of an unpadded convolution, in positions of its input."""

ROW_BY_ROW = ("cpu",)  # kinds of device on which `convolved` takes rows one at a time
STRETCH_FRAMES = 200  # 4 s at 50 frames a second


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


def convolved(
    convolve: Callable[[Tensor, Tensor], Tensor], waveforms: Tensor, lengths: Tensor
) -> Tensor:
    """Run a stem's convolutions, on a CPU over each row alone and without its padding.

    The first layers' outputs are the largest tensors of all. Those of one row stay in caches and
    in memory that is used again, where a batch's are fetched from the system page by page; a GPU
    wants the batch as a whole.

    Args:
        convolve: (B, S) samples, of which (B,) are real, to (B, C, F) frames
        waveforms: (B, S)
        lengths: (B,)

    Shape:
        output: (B, F, C), zeros beyond a row's end on a CPU
    """
    if waveforms.device.type not in ROW_BY_ROW:
        return convolve(waveforms, lengths).transpose(1, 2)
    rows = [
        convolve(waveforms[row : row + 1, :real], lengths[row : row + 1])[0].T
        for row, real in enumerate(lengths.tolist())
    ]
    return pad_sequence(rows, batch_first=True)


def in_stretches(
    convolve: Callable[[Tensor], Tensor], waveforms: Tensor, convolutions: Sequence[Convolution]
) -> Tensor:
    """Run convolutions without padding over a long waveform, some seconds at a time.

    The frames are those of one run, as each looks at its own stretch of samples alone; but the
    first layers' outputs, half a gigabyte for a minute, are never held at once.

    Args:
        convolve: (B, S) samples to (B, C, F) frames, each layer local in time
        waveforms: (B, S)
        convolutions: kernel and stride of each layer
    """
    field, hop = receptive_field(convolutions), math.prod(stride for _, stride in convolutions)
    frames = (waveforms.shape[1] - field) // hop + 1
    pieces = [
        convolve(waveforms[:, start * hop : (stop - 1) * hop + field])
        for start, stop in _stretches(frames)
    ]
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=2)


def _stretches(frames: int) -> list[tuple[int, int]]:
    starts = range(0, frames, STRETCH_FRAMES)
    return [(start, min(frames, start + STRETCH_FRAMES)) for start in starts]


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
    if bool((lengths == values.shape[-1]).all()):
        whole: Tensor = norm(values)
        return whole.to(values.dtype)
    rows = [row[:, :real].float() for row, real in zip(values, lengths.tolist(), strict=True)]
    moments = [torch.var_mean(row, dim=-1, correction=0, keepdim=True) for row in rows]
    variance, mean = (torch.stack(moment) for moment in zip(*moments, strict=True))
    scale = norm.weight[:, None] * torch.rsqrt(variance + norm.eps)
    return torch.addcmul(norm.bias[:, None], values.float() - mean, scale).to(values.dtype)


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
