"""The attention of FunASR's blocks, under a bias that also says what is padding."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from backbones.base import Frames
from backbones.nn.fused_attention import attend


class AlibiAttention(nn.Module):
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
