"""Attention under a bias that also says what is padding, by the kernel that is fastest for it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from backbones.base import Frames
from backbones.dropout import dropout

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


class FusedAttention(nn.Module):
    """A block's self-attention with torch's fused kernel, which never holds all its weights.

    It takes the place of that of FunASR's blocks, with tensors of the same names.
    """

    def __init__(self, attention: Any) -> None:
        super().__init__()
        self.num_heads: int = attention.num_heads
        self.qkv: nn.Linear = attention.qkv
        self.proj: nn.Linear = attention.proj
        self.proj_drop: nn.Dropout = attention.proj_drop
        self.dropout: float = attention.attn_drop.p

    def forward(self, hidden: Tensor, padding_mask: None, alibi_bias: Tensor) -> Tensor:
        """Attend under a bias that says what is padding, so that no mask is needed.

        Shape:
            hidden: (B, F, D)
            alibi_bias: (1 or B, H, F, F)
            output: (B, F, D)
        """
        heads = self.qkv(hidden).unflatten(2, (3, self.num_heads, -1))
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        bias = alibi_bias.to(query.dtype)
        mixed = attend(query, key, value, bias, self.dropout if self.training else 0.0)
        output: Tensor = self.proj_drop(self.proj(mixed.transpose(1, 2).flatten(2)))
        return output


def key_bias(bias: Tensor, frames: Frames) -> Tensor:
    """Add to an attention bias that no frame looks at padding, in the precision in force.

    Where no row has padding the bias stays one for all rows, which saves the memory of B copies.

    Shape:
        bias: (1, H, F, F)
        output: (1 or B, H, F, F)
    """
    bias = bias.to(working_dtype(frames.values))
    if bool((frames.lengths == frames.values.shape[1]).all()):
        return bias
    return bias.masked_fill(~frames.mask()[:, None, None, :], -torch.inf)


def working_dtype(values: Tensor) -> torch.dtype:
    """The type that products are taken in: autocast's where it is on, else the values' own."""
    kind = values.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else values.dtype
