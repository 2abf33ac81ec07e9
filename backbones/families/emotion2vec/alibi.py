"""Attention with linear biases, symmetric in time.

Source: Press et al., Train Short, Test Long: Attention with Linear Biases Enables Input Length
Extrapolation, 2022.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def alibi(frames: int, slopes: Tensor, extra: int = 0) -> Tensor:
    """Attention bias that falls linearly with distance, at a slope of its own for each head.

    It is the same for every row of a batch; the first `extra` positions are at no distance.

    Shape:
        slopes: (H,)
        output: (1, H, extra + frames, extra + frames), float32

    >>> alibi(3, torch.tensor([0.5]))[0, 0].tolist()
    [[-0.0, -0.5, -1.0], [-0.5, -0.0, -0.5], [-1.0, -0.5, -0.0]]
    """
    width = extra + frames
    bias = torch.zeros(1, len(slopes), width, width, device=slopes.device)
    positions = torch.arange(frames, device=slopes.device)
    distance = (positions[None, :] - positions[:, None]).abs().float()
    for head, slope in enumerate(slopes):  # at once, a minute of audio would take half a gigabyte
        bias[0, head, extra:, extra:] = -slope * distance
    return bias


def alibi_slopes(heads: int) -> list[float]:
    """Slopes in geometric steps; beyond a power of two, every other step of the next one.

    >>> alibi_slopes(4)
    [0.25, 0.0625, 0.015625, 0.00390625]
    >>> alibi_slopes(6)[4:]
    [0.5, 0.125]
    """
    power = 2 ** int(math.log2(heads))
    slopes = [2 ** (-8 * step / power) for step in range(1, power + 1)]
    finer = [2 ** (-4 * step / power) for step in range(1, 2 * power, 2)]
    return slopes + finer[: heads - power]
