"""From frames to outputs: what is trained on top of a backbone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from harness.model.standardise import Standardise
from harness.model.stream_dropout import StreamDropout


def mlp_classifier(
    input_dim: int, head_dim: int, classes: int, *, layers: int, dropout: float
) -> nn.Sequential:
    """Dropout → (Linear → LayerNorm → ReLU → Dropout) × layers → Linear.

    Shape:
        input: (B, input_dim)
        output: (B, classes)

    >>> [type(part).__name__ for part in mlp_classifier(8, 4, 2, layers=0, dropout=0.5)]
    ['StreamDropout', 'Linear']
    """
    parts: list[nn.Module] = [StreamDropout(dropout, input_dim)]
    width = input_dim
    for _ in range(layers):
        parts += [
            nn.Linear(width, head_dim),
            nn.LayerNorm(head_dim),
            nn.ReLU(),
            StreamDropout(dropout, head_dim),
        ]
        width = head_dim
    return nn.Sequential(*parts, nn.Linear(width, classes))


class LayerSum(nn.Module):
    """Σ w_i h_i with w = softmax(a), a learned from 0: at first the plain mean.

    Which layer knows most about emotion differs between backbones; the last alone handicaps
    some. Source: Yang et al., SUPERB: Speech processing Universal PERformance Benchmark, 2021.

    Shape:
        input: L + 1 tensors (B, F, D)
        output: (B, F, D)
    """

    def __init__(self, states: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(states))

    def forward(self, states: Sequence[Tensor]) -> Tensor:
        """Add up one state after another, so that no stack of them is made."""
        total = torch.zeros_like(states[0])
        for weight, state in zip(self.weights.softmax(0), states, strict=True):
            total = total + weight.to(state.dtype) * state
        return total


class FramePooling(nn.Module):
    """Layer sum and pooling: from a batch's frames to one vector an utterance.

    Frames and what pooling makes of them are standardised, each dimension by its mean and deviation
    on train.
    """

    def __init__(
        self,
        frame_scales: Sequence[Standardise],
        layer_sum: LayerSum | None,
        pooling: nn.Module,
        pooled_scale: Standardise,
    ) -> None:
        super().__init__()
        self.frame_scales = nn.ModuleList(frame_scales)
        self.layer_sum, self.pooling, self.pooled_scale = layer_sum, pooling, pooled_scale

    def forward(self, values: Sequence[Tensor], mask: Tensor) -> Tensor:
        """What the classifier takes.

        Shape:
            values: (B, F, D) for each state
            mask: (B, F), True where a frame is real
            output: (B, P)
        """
        vectors: Tensor = self.pooled_scale(self.pooled(values, mask))
        return vectors

    def pooled(self, values: Sequence[Tensor], mask: Tensor) -> Tensor:
        """One vector an utterance, (B, P), as pooling gives it."""
        scaled = [scale(each) for scale, each in zip(self.frame_scales, values, strict=True)]
        summed = scaled[0] if self.layer_sum is None else self.layer_sum(scaled)
        vectors: Tensor = self.pooling(summed, mask)
        return vectors


class Head(nn.Module):
    """Pooling and classifier as one module; it shares them with the model it is of."""

    def __init__(self, frame_pooling: FramePooling, classifier: nn.Sequential) -> None:
        super().__init__()
        self.frame_pooling, self.classifier = frame_pooling, classifier

    def forward(self, values: Sequence[Tensor], mask: Tensor) -> Tensor:
        """Outputs of a batch, such as class logits.

        Shape:
            values: (B, F, D) for each state
            mask: (B, F), True where a frame is real
            output: (B, W), float32
        """
        outputs: Tensor = self.classifier(self.frame_pooling(values, mask))
        return outputs.float()
