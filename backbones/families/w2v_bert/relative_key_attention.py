"""Attention that adds to a key's score what the query makes of the distance to it.

Source: Shaw et al., Self-Attention with Relative Position Representations, 2018.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from backbones.nn.fused_attention import attend


class RelativeKeyAttention(nn.Module):
    """Takes the place of transformers' Wav2Vec2BertSelfAttention, with tensors of the same names.

    Each query meets each distance once, not each key: transformers' own looks a vector up for
    every pair of frames, F² of them.
    """

    def __init__(self, theirs: Any) -> None:
        super().__init__()
        self.heads: int = theirs.num_heads
        self.dropout: float = theirs.dropout.p
        self.left: int = theirs.left_max_position_embeddings
        self.right: int = theirs.right_max_position_embeddings
        self.linear_q: nn.Linear = theirs.linear_q
        self.linear_k: nn.Linear = theirs.linear_k
        self.linear_v: nn.Linear = theirs.linear_v
        self.linear_out: nn.Linear = theirs.linear_out
        self.distance_embedding: nn.Embedding = theirs.distance_embedding

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor,
        relative_position_embeddings: None = None,
    ) -> tuple[Tensor, None]:
        """Attention as transformers' layers call it; no weights are returned.

        Shape:
            hidden_states: (B, F, D)
            attention_mask: (B, 1, 1, F), True where a frame is real
            output: (B, F, D)
        """
        query, key, value = (
            projection(hidden_states).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for projection in (self.linear_q, self.linear_k, self.linear_v)
        )
        bias = self._position_bias(query).masked_fill(~attention_mask, -torch.inf)
        attended = attend(query, key, value, bias, self.dropout if self.training else 0.0)
        return self.linear_out(attended.transpose(1, 2).flatten(2)), None

    def _position_bias(self, query: Tensor) -> Tensor:
        """The score of each distance, laid out by query and key: (B, H, F, F)."""
        batch, heads, frames, width = query.shape
        scores: Tensor = query @ self.distance_embedding.weight.T * width**-0.5
        index = distances(frames, self.left, self.right, query.device) + self.left
        return scores.gather(3, index.expand(batch, heads, frames, frames))


def distances(frames: int, left: int, right: int, device: torch.device | None = None) -> Tensor:
    """From each frame (row) to each other (column), none farther than `left` or `right`.

    Shape:
        output: (F, F), int64

    >>> distances(4, 2, 1).tolist()
    [[0, 1, 1, 1], [-1, 0, 1, 1], [-2, -1, 0, 1], [-2, -2, -1, 0]]
    """
    positions = torch.arange(frames, device=device)
    return (positions[None, :] - positions[:, None]).clamp(-left, right)
