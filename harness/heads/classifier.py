"""From one vector an utterance to class logits."""

from __future__ import annotations

from torch import nn


def mlp_classifier(
    input_dim: int, head_dim: int, classes: int, *, layers: int, dropout: float
) -> nn.Sequential:
    """Dropout → (Linear → LayerNorm → ReLU → Dropout) × layers → Linear.

    Shape:
        input: (B, input_dim)
        output: (B, classes)

    >>> [type(part).__name__ for part in mlp_classifier(8, 4, 2, layers=0, dropout=0.5)]
    ['Dropout', 'Linear']
    """
    parts: list[nn.Module] = [nn.Dropout(dropout)]
    width = input_dim
    for _ in range(layers):
        parts += [
            nn.Linear(width, head_dim),
            nn.LayerNorm(head_dim),
            nn.ReLU(),
            nn.Dropout(dropout),
        ]
        width = head_dim
    return nn.Sequential(*parts, nn.Linear(width, classes))
