"""WavLM's attention, whose bias by distance is gated by each frame, through torch's fast kernels.

Source: Chen et al., WavLM: Large-Scale Self-Supervised Pre-Training for Full Stack Speech
Processing, 2022.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from backbones.nn.fused_attention import attend


class GatedAttention(nn.Module):
    """Takes the place of transformers' WavLMAttention, with its tensors under their names."""

    def __init__(self, theirs: Any) -> None:
        super().__init__()
        self.heads: int = theirs.num_heads
        self.dropout: float = theirs.dropout
        self.max_distance: int = theirs.max_distance
        self.q_proj: nn.Linear = theirs.q_proj
        self.k_proj: nn.Linear = theirs.k_proj
        self.v_proj: nn.Linear = theirs.v_proj
        self.out_proj: nn.Linear = theirs.out_proj
        self.gru_rel_pos_linear: nn.Linear = theirs.gru_rel_pos_linear
        self.gru_rel_pos_const: nn.Parameter = theirs.gru_rel_pos_const
        if hasattr(theirs, "rel_attn_embed"):  # in the lowest layer, for all of them
            self.rel_attn_embed: nn.Embedding = theirs.rel_attn_embed

    def position_bias(self, frames: int) -> Tensor:
        """The bias by distance, before any gate.

        Shape:
            output: (1, H, F, F)
        """
        weight = self.rel_attn_embed.weight
        positions = torch.arange(frames, device=weight.device)
        buckets = distance_buckets(
            positions[None, :] - positions[:, None], len(weight), self.max_distance
        )
        bias: Tensor = self.rel_attn_embed(buckets)
        return bias.permute(2, 0, 1)[None]

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None,
        position_bias: Tensor,
        index: int = 0,
    ) -> tuple[Tensor, None, Tensor]:
        """Attention as transformers' layers call it; no weights are returned.

        Shape:
            hidden_states: (B, F, D)
            attention_mask: (B, 1, 1, F), True where a frame is real; None if all are
            position_bias: (1, H, F, F)
            output: (B, F, D)
        """
        query, key, value = (
            self._by_head(projection(hidden_states))
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        bias = self._gate(hidden_states).to(query.dtype) * position_bias.to(query.dtype)
        if attention_mask is not None:
            bias = bias.masked_fill(~attention_mask, -torch.inf)
        attended = attend(query, key, value, bias, self.dropout if self.training else 0.0)
        return self.out_proj(attended.transpose(1, 2).flatten(2)), None, position_bias

    def _gate(self, hidden: Tensor) -> Tensor:
        """How strongly each frame and head follows the bias: (B, H, F, 1)."""
        linear = self.gru_rel_pos_linear
        # what eight outputs summed by fours would give: two outputs of summed weights
        weight, bias = linear.weight.view(2, 4, -1).sum(1), linear.bias.view(2, 4).sum(1)
        gates = functional.linear(hidden.view(*hidden.shape[:2], self.heads, -1), weight, bias)
        update, reset = gates.transpose(1, 2).sigmoid().chunk(2, dim=-1)
        gate: Tensor = update * (reset * self.gru_rel_pos_const - 1) + 2
        return gate

    def _by_head(self, hidden: Tensor) -> Tensor:
        return hidden.view(*hidden.shape[:2], self.heads, -1).transpose(1, 2)


def distance_buckets(distances: Tensor, buckets: int, farthest: int) -> Tensor:
    """Half of the buckets for each direction: the near distances one by one, then log-spaced.

    Shape:
        distances: any, signed
        output: the same, from 0 to buckets - 1

    >>> distance_buckets(torch.tensor([-900, -2, 0, 2, 900]), 320, 800).tolist()
    [159, 2, 0, 162, 319]
    """
    half = buckets // 2
    near, size = half // 2, distances.abs()
    octaves = torch.log(size.clamp(min=1).float() / near) / math.log(farthest / near)
    far = (near + octaves * (half - near)).long().clamp(max=half - 1)
    return torch.where(distances > 0, half, 0) + torch.where(size < near, size, far)
