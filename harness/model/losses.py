"""Losses over a batch of logits. Labels count from 0.

Every loss is made from the number of train utterances per class, (C,), and maps logits (B, C)
and labels (B,) to a scalar.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class CrossEntropy(nn.Module):
    """Mean of −log softmax(logits)[label]."""

    def __init__(self, class_counts: Sequence[int]) -> None:
        super().__init__()

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Mean over the batch."""
        return functional.cross_entropy(logits.float(), labels)


class WeightedCrossEntropy(nn.Module):
    """Cross-entropy in which class c weighs N / (C · n_c), so that every class weighs the same.

    A batch's mean is divided by the sum of its weights, as in torch.

    >>> WeightedCrossEntropy([30, 10]).weight.tolist()
    [0.6666666865348816, 2.0]
    """

    weight: Tensor

    def __init__(self, class_counts: Sequence[int]) -> None:
        super().__init__()
        if min(class_counts) < 1:
            raise ValueError(f"every class needs a train utterance, counts are {class_counts}")
        counts = torch.tensor(class_counts, dtype=torch.float64)
        weight = counts.sum() / (len(class_counts) * counts)
        self.register_buffer("weight", weight.float())

    def total_weight(self, labels: Tensor) -> float:
        """What a batch's sum is divided by."""
        return float(self.weight[labels.to(self.weight.device)].sum())

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Weighted mean over the batch."""
        return functional.cross_entropy(logits.float(), labels, weight=self.weight)


class DistributionalRanking(nn.Module):
    """Rank the batch's hardest positives above its hardest negatives.

    Over p = sigmoid(logits), with the positives p⁺ (one a row: its label's) and negatives p⁻:
    q⁻ ∝ exp(p⁻/λ⁻), q⁺ ∝ exp(−p⁺/λ⁺),
    loss = (τ/L) · log(1 + exp(L · (Σ q⁻p⁻ − Σ q⁺p⁺ + 0.5))).

    Source: Qian, Chen, Li, Jin, "DR Loss: Improving Object Detection by Distributional
    Ranking", CVPR 2020. In detection labels run from 1, background being 0; here from 0.

    A sigmoid is flat far from 0: confidently wrong logits, of ±60 say, have next to no gradient
    (1e-26) and do not recover. That is the formula's; standardised inputs and weight decay keep
    logits small. The ranking is within a batch: batches whose gradients are accumulated are ranked
    one by one, and their losses weighed by their utterances.
    """

    smoothness = 6.0  # L
    scale = 4.0  # τ
    margin = 0.5
    positive_temperature = 1.0  # λ⁺
    negative_temperature = 0.1 / math.log(3.5)  # λ⁻

    def __init__(self, class_counts: Sequence[int]) -> None:
        super().__init__()

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """One value from the whole batch."""
        probabilities = logits.float().sigmoid()
        positive = functional.one_hot(labels, logits.shape[1]).bool()
        low = _soft_extreme(probabilities[positive], -self.positive_temperature)
        high = _soft_extreme(probabilities[~positive], self.negative_temperature)
        gap = self.smoothness * (high - low + self.margin)
        return self.scale / self.smoothness * functional.softplus(gap)


def loss_weight(loss: nn.Module, labels: Tensor) -> float:
    """How much of a step's loss a batch is: its utterances, or what the loss says they weigh.

    >>> loss_weight(WeightedCrossEntropy([30, 10]), torch.tensor([0, 1])), loss_weight(
    ...     CrossEntropy([30, 10]), torch.tensor([0, 1])
    ... )
    (2.6666667461395264, 2.0)
    """
    weigh = getattr(loss, "total_weight", None)
    return float(len(labels)) if weigh is None else float(weigh(labels))


def _soft_extreme(values: Tensor, temperature: float) -> Tensor:
    """Σ q·values with q ∝ exp(values / temperature): soft maximum, or minimum if negative."""
    return (functional.softmax(values / temperature, dim=0) * values).sum()
