"""A network of a backbone's shape whose numbers mean nothing, to count and to time."""

from __future__ import annotations

import torch

from backbones.base import Backbone
from harness.heads.build import outline_backbone
from harness.suite.schema import BackboneSpec

NUMBERS = 1 << 16
SCALE = 0.02  # of weights as they are usually drawn


def blank(spec: BackboneSpec, device: torch.device) -> Backbone:
    """The backbone that a suite names, without its weights: nothing is fetched or verified.

    Every tensor repeats the same small random numbers. How long a product takes does not depend
    on them, and to draw as many as a large network has takes longer than to time it.

    Raises:
        BackboneError: it is a user's own network, and its settings are not on this machine.
    """
    network = outline_backbone(spec)
    network.to_empty(device=device)
    numbers = SCALE * torch.rand(NUMBERS, generator=torch.Generator().manual_seed(0))
    for tensor in network.state_dict().values():
        repeats = -(-tensor.numel() // NUMBERS)
        tensor.copy_(numbers.repeat(repeats)[: tensor.numel()].view(tensor.shape))
    return network.finetune(0).eval()
