"""Attention under a mask or a bias, by the kernel that is fastest for it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from backbones.nn.fast_dropout import dropout

FEW_FRAMES = 1024
"""Up to here all weights of an attention, B × H × F² of them, may be held."""

OURS = "ours"
"""The name under which transformers' layers find `attend`."""


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor | None,
    p: float,
    scale: float | None = None,
) -> Tensor:
    """Attention under a bias, with dropout over its weights.

    Torch's fused kernel where it serves. On a CPU it knows no dropout, and in half precision it
    takes half as long again as plain products, and its gradient three times as long.

    Shape:
        query, key, value: (B, H, F, C)
        bias: broadcast to (B, H, F, F); added, or True where a key may be looked at
        output: (B, H, F, C)
    """
    if _fused_serves(query, p):
        return scaled_dot_product_attention(query, key, value, bias, p, scale=scale)
    factor = query.shape[-1] ** -0.5 if scale is None else scale
    scores = torch.matmul(query * factor, key.mT)
    if bias is not None and bias.dtype == torch.bool:
        scores = scores.masked_fill(~bias, -torch.inf)
    elif bias is not None:
        scores = scores + bias
    return torch.matmul(dropout(scores.softmax(-1), p), value)


def _fused_serves(query: Tensor, p: float) -> bool:
    if query.device.type != "cpu":
        return True
    in_half = query.dtype != torch.float32
    return p == 0 and not (in_half and query.shape[2] <= FEW_FRAMES)


def teach_transformers() -> str:
    """Let transformers' layers use `attend`; the name by which their settings ask for it."""
    from transformers import AttentionInterface

    def attention(
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        *,
        dropout: float = 0.0,
        scaling: float | None = None,
        **unused: object,
    ) -> tuple[Tensor, None]:
        attended = attend(query, key, value, attention_mask, dropout, scaling)
        return attended.transpose(1, 2).contiguous(), None

    AttentionInterface.register(OURS, attention)
    return OURS
