"""From frames to one vector an utterance. Padded frames never count.

Shapes: values (B, F, D), mask (B, F) with True where a frame is real, output (B, output_dim).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

MIN_VARIANCE = 1e-5


class MeanPooling(nn.Module):
    """The mean over an utterance's real frames.

    Shape:
        input: (B, F, D) and mask (B, F)
        output: (B, D)
    """

    def __init__(self, input_dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.output_dim = input_dim

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Average the real frames, in float32."""
        with _float32(values):
            return _weighted_sum(mask / mask.sum(1, keepdim=True), _real_only(values, mask))


class StatisticsPooling(nn.Module):
    """The mean and the standard deviation of an utterance's real frames; it learns nothing.

    σ = sqrt(max(mean of (x − μ)², 1e-5)), the biased deviation, output [μ; σ].

    Shape:
        input: (B, F, D) and mask (B, F)
        output: (B, 2·D)

    >>> frames, mask = torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([[True, True, False]])
    >>> StatisticsPooling(input_dim=1, hidden_dim=1)(frames, mask)
    tensor([[2., 1.]])
    """

    def __init__(self, input_dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.output_dim = 2 * input_dim

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Take the statistics in float32."""
        with _float32(values):
            return _statistics(mask / mask.sum(1, keepdim=True), _real_only(values, mask))


class AttentiveStatisticsPooling(nn.Module):
    """Attention-weighted mean and standard deviation of the frames.

    e_t = v·tanh(W x_t + b), w = softmax(e) over real frames, μ = Σ w x,
    σ = sqrt(max(Σ w x² − μ², 1e-5)), output [μ; σ]. v begins at 0, so that at first all frames
    weigh the same, and what is learned moves away from plain statistics.

    Source: Okabe, Koshinaka, Shinoda, "Attentive Statistics Pooling for Deep Speaker
    Embedding", Interspeech 2018.

    Shape:
        input: (B, F, D) and mask (B, F)
        output: (B, 2·D)

    >>> pooling = AttentiveStatisticsPooling(input_dim=4, hidden_dim=3)
    >>> pooling(torch.ones(2, 5, 4), torch.ones(2, 5, dtype=torch.bool)).shape
    torch.Size([2, 8])
    """

    def __init__(self, input_dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.output_dim = 2 * input_dim
        score = nn.Linear(hidden_dim, 1, bias=False)
        nn.init.zeros_(score.weight)
        self.attention = nn.Sequential(nn.Linear(input_dim, hidden_dim), nn.Tanh(), score)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Weigh the frames by attention; the statistics are taken in float32."""
        scores = self.attention(values).squeeze(-1)
        with _float32(values):
            weights = scores.float().masked_fill(~mask, -torch.inf).softmax(1)
            return _statistics(weights, _real_only(values, mask))


def _float32(values: Tensor) -> torch.autocast:
    """Mixed precision would take the products of the statistics in half precision."""
    return torch.autocast(values.device.type, enabled=False)


def _statistics(weights: Tensor, real: Tensor) -> Tensor:
    """Weighted mean and standard deviation, (B, 2·D), of frames that hold zeros as padding."""
    mean = _weighted_sum(weights, real)
    # the same as Σ w x² − μ², without the difference of two large numbers
    variance = _weighted_sum(weights, (real - mean[:, None]).square())
    return torch.cat([mean, variance.clamp(min=MIN_VARIANCE).sqrt()], dim=1)


def _weighted_sum(weights: Tensor, values: Tensor) -> Tensor:
    return torch.einsum("bf,bfd->bd", weights, values)


def _real_only(values: Tensor, mask: Tensor) -> Tensor:
    """Float32 values with padding set to zero, whatever it held."""
    return values.float().masked_fill(~mask[..., None], 0.0)
