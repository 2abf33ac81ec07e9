"""The layers of several classifiers of one shape, applied in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, linear, pad

from harness.model.stream_dropout import StreamDropout


def apply_stacked(
    layers: Sequence[nn.Module], tensors: Mapping[str, Tensor], values: Tensor, rows: Sequence[int]
) -> Tensor:
    """What one layer of each of K classifiers makes of its values.

    Args:
        layers: one of each classifier, alike but for their parameters and what they drop
        tensors: their parameters, stacked
        values: (K, B, D), or (B, D) if they are the same for all
        rows: how many of the B are real, for each

    Shape:
        output: (K, B, D'), or (B, D') as long as it is the same for all

    Raises:
        TypeError: the layer has parameters and is of no kind that is known here.
    """
    first = layers[0]
    if isinstance(first, StreamDropout):
        modules = [layer for layer in layers if isinstance(layer, StreamDropout)]
        return _dropped(modules, values, rows)
    if isinstance(first, nn.Linear):
        return _linear(values, tensors["weight"], tensors["bias"])
    if isinstance(first, nn.LayerNorm):
        normed = layer_norm(values, first.normalized_shape, eps=first.eps)
        return normed * tensors["weight"][:, None] + tensors["bias"][:, None]
    if tensors:
        raise TypeError(f"{type(first).__name__} cannot be stacked")
    found: Tensor = first(values)
    return found


def _linear(values: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """With weights (K, D', D); values that all have in common take one product of matrices."""
    if values.ndim == 2:
        together = linear(values, weight.flatten(0, 1), bias.flatten())
        return together.view(len(values), *bias.shape).transpose(0, 1)
    return torch.baddbmm(bias[:, None], values, weight.transpose(1, 2))


def _dropped(modules: Sequence[StreamDropout], values: Tensor, rows: Sequence[int]) -> Tensor:
    """Those that draw from one stream drop the same."""
    if not modules[0].training or all(module.p == 0 for module in modules):
        return values
    most, by_stream = max(rows), dict[torch.Generator | None, Tensor]()
    for module, count in zip(modules, rows, strict=True):
        if module.stream not in by_stream:
            factors = module.draw(count, values.device)
            by_stream[module.stream] = pad(factors, (0, 0, 0, most - count)).to(values.dtype)
    if len(by_stream) == 1:
        return values * by_stream[modules[0].stream]
    return values * torch.stack([by_stream[module.stream] for module in modules])
