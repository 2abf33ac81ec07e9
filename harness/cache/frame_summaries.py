"""Summaries of an utterance's frames that a pooling without weights maps to the same vector."""

from __future__ import annotations

import torch
from torch import Tensor

from backbones.base import Frames
from harness.cache.frame_views import Form


def summarise(frames: Frames, form: Form) -> Frames:
    """Two frames with the same mean and standard deviation, one to either side of the mean.

    Statistics are taken in float32.

    Shape:
        frames: (B, F, D)
        output: (B, 2, D); (B, F, D) for the form "frames"

    >>> frames = Frames(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([2]))
    >>> summarise(frames, "statistics").values.tolist()
    [[[3.0], [1.0]]]
    """
    if form == "frames":
        return frames
    with torch.autocast(frames.values.device.type, enabled=False):
        mean, deviation = _moments(frames)
        kept = torch.stack([mean + deviation, mean - deviation], 1)
        return Frames(kept, torch.full_like(frames.lengths, 2))


def _moments(frames: Frames) -> tuple[Tensor, Tensor]:
    padding = ~frames.mask()[..., None]
    count = frames.lengths[:, None]
    values = frames.values.float().masked_fill(padding, 0)
    mean = values.sum(1) / count
    centred = (values - mean[:, None]).masked_fill(padding, 0)
    return mean, (centred.square().sum(1) / count).sqrt()
