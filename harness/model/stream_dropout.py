"""Dropout that draws from a stream of random numbers of its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class StreamDropout(nn.Module):
    """As torch's, but every network has a stream of its own.

    So one pass can serve several networks, each of which drops what it would drop alone.

    Args:
        p: share of values that are dropped
        width: of the vectors that come in

    Shape:
        input and output: (B, width)
    """

    def __init__(self, p: float, width: int) -> None:
        super().__init__()
        self.p, self.width = p, width
        self.stream: torch.Generator | None = None

    def draw(self, rows: int, device: torch.device) -> Tensor:
        """For each value 0 with probability `p`, else what makes up for the others' loss."""
        kept = 1.0 - self.p
        drawn = torch.empty(rows, self.width, device=device)
        return drawn.bernoulli_(kept, generator=self.stream).div_(kept or 1.0)

    def forward(self, values: Tensor) -> Tensor:
        """Drop some values while training."""
        if not self.training or self.p == 0:
            return values
        return values * self.draw(len(values), values.device).to(values.dtype)


def dropouts(network: nn.Module) -> dict[str, StreamDropout]:
    """Those of a network, by name."""
    modules = network.named_modules()
    return {name: module for name, module in modules if isinstance(module, StreamDropout)}


def seed_dropout(
    networks: Sequence[nn.Module], seed: int, device: torch.device
) -> list[torch.Generator]:
    """Begin the stream that each network's `StreamDropout` draw from, as long as it lives.

    Networks of one shape that drop as much drop the same, from one stream, so that what is drawn
    for one of them serves all.
    """
    streams: dict[tuple[float, ...], torch.Generator] = {}
    found = []
    for network in networks:
        modules = dropouts(network).values()
        shares = tuple(module.p for module in modules)
        stream = streams.setdefault(shares, torch.Generator(device).manual_seed(seed))
        for module in modules:
            module.stream = stream
        found.append(stream)
    return found
