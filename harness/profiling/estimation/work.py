"""How much a backbone and a head have to compute, counted by torch as they do it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from backbones.base import Backbone, Frames
from harness.data.audio import SAMPLE_RATE_HZ
from harness.model.ser_model import SERModel
from harness.profiling.flops import count_flops

COUNTED_S = 2.0
FRAMES = 100
"""Lengths at which work is counted: short, as it takes as long as doing it."""


@dataclass(frozen=True)
class Work:
    """FLOPs of a component of a network over one utterance; a product and its sum are two.

    Attention relates pairs of frames, all else takes each frame by itself.

    >>> Work(per_frame=10.0, per_pair=1.0).flops(frames=5)
    75.0
    """

    per_frame: float
    per_pair: float = 0.0

    def flops(self, frames: int) -> float:
        """Of an utterance of so many frames."""
        return self.per_frame * frames + self.per_pair * frames**2

    @classmethod
    def of(cls, step: Callable[[int], object], frames: int = FRAMES) -> Work:
        """What a step on one utterance of any number of frames computes."""
        short, long = count_flops(lambda: step(frames)), count_flops(lambda: step(2 * frames))
        per_pair = (long - 2 * short) / (2 * frames**2)
        return cls(short / frames - per_pair * frames, per_pair)


@dataclass(frozen=True)
class BackboneWork:
    """What the components of a backbone compute in a forward pass."""

    stem: Work
    layer: Work
    """One transformer layer."""
    layers: int
    extra_tokens: int
    """Frames that layers see beside those of the audio."""

    def prefix(self, frames: int, depth: int) -> float:
        """FLOPs up to a depth, of an utterance of so many frames."""
        return self.stem.flops(frames) + depth * self.layer.flops(frames + self.extra_tokens)


@torch.no_grad()
def work_of(backbone: Backbone, device: torch.device) -> BackboneWork:
    """Count a backbone's stem on 2 s of audio, and its first layer on two lengths."""
    samples = torch.tensor([round(COUNTED_S * SAMPLE_RATE_HZ)])
    waveform, lengths = torch.zeros(1, int(samples), device=device), samples.to(device)
    stem = count_flops(lambda: backbone.stem(waveform, lengths)) / int(
        backbone.frame_lengths(samples)
    )
    layers, width = len(backbone.layers), backbone.config.hidden_size

    def layer(frames: int) -> Frames:
        return backbone.run(noise(1, frames, width, device), 0, min(1, layers))

    return BackboneWork(Work(stem), Work.of(layer), layers, backbone.num_extra_tokens)


@torch.no_grad()
def head_work(model: SERModel) -> Work:
    """What the head on a frozen backbone computes."""
    device, width = next(model.parameters()).device, model.backbone.config.hidden_size
    return Work.of(
        lambda frames: model.suffix([noise(1, frames, width, device) for _ in model.depths])
    )


def noise(rows: int, frames: int, width: int, device: torch.device) -> Frames:
    """Random frames.

    Shape:
        values: (rows, frames, width)
    """
    values = torch.randn(rows, frames, width, device=device)
    return Frames(values, torch.full((rows,), frames, device=device))
