"""Dropout that draws from a stream of random numbers of its own."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class StreamDropout(nn.Module):
    """As torch's, but what it drops can be drawn before the pass in which it is dropped.

    So one pass can serve several trials, each of which drops what it would drop alone.

    Args:
        p: share of values that are dropped
        width: of the vectors that come in

    Shape:
        input and output: (B, width)
    """

    factors: Tensor
    """Drawn beforehand, (B, width); empty if they are to be drawn in the pass."""

    def __init__(self, p: float, width: int) -> None:
        super().__init__()
        self.p, self.width = p, width
        self.stream: torch.Generator | None = None
        self.register_buffer("factors", torch.empty(0), persistent=False)

    def draw(self, rows: int) -> Tensor:
        """For each value 0 with probability `p`, else what makes up for the others' loss."""
        kept = 1.0 - self.p
        drawn = torch.empty(rows, self.width, device=self.factors.device)
        return drawn.bernoulli_(kept, generator=self.stream).div_(kept or 1.0)

    def forward(self, values: Tensor) -> Tensor:
        """Drop some values while training."""
        if not self.training or self.p == 0:
            return values
        factors = self.factors if self.factors.numel() else self.draw(len(values))
        return values * factors.to(values.dtype)


def dropouts(network: nn.Module) -> dict[str, StreamDropout]:
    """Those of a network, by name."""
    modules = network.named_modules()
    return {name: module for name, module in modules if isinstance(module, StreamDropout)}


def seed_dropout(network: nn.Module, seed: int, device: torch.device) -> torch.Generator:
    """Begin one stream for all of a network's `StreamDropout`, as long as it lives; the stream."""
    stream = torch.Generator(device).manual_seed(seed)
    for module in dropouts(network).values():
        module.stream = stream
    return stream
