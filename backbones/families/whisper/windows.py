"""Rows cut into consecutive windows, and put together again.

A window is a row of its own: nothing that works on rows can look from one into another.
"""

from __future__ import annotations

import torch
from torch import Tensor

from backbones.nn.padding import valid_mask


def window_lengths(lengths: Tensor, width: int) -> Tensor:
    """The lengths of all rows' windows, in order; the last one of a row may be shorter.

    Shape:
        lengths: (B,)
        output: (W,), at least 1 each

    >>> window_lengths(torch.tensor([7, 2, 3]), 3).tolist()
    [3, 3, 1, 2, 3]
    """
    starts = torch.arange(0, int(lengths.max()), width, device=lengths.device)
    pieces = (lengths[:, None] - starts).clamp(max=width)
    return pieces[pieces > 0]


def repack(values: Tensor, lengths: Tensor, others: Tensor) -> Tensor:
    """The same real positions in the same order, in rows of other lengths.

    Rows become windows with `others = window_lengths(lengths, width)`, and windows become rows
    with the two the other way round. Rows that keep their lengths are left as they are.

    Shape:
        values: (B, F, ...)
        lengths: (B,)
        others: (C,), of the same sum
        output: (C, G, ...), zeros beyond a row's length

    >>> rows, lengths = torch.tensor([[1, 2, 3], [4, 0, 0]]), torch.tensor([3, 1])
    >>> repack(rows, lengths, torch.tensor([2, 1, 1])).tolist()
    [[1, 2], [3, 0], [4, 0]]
    """
    if len(others) == len(lengths):
        return values
    width = int(others.max())
    packed = values.new_zeros(len(others), width, *values.shape[2:])
    packed[valid_mask(others, width)] = values[valid_mask(lengths, values.shape[1])]
    return packed
