"""From one vector an utterance to class logits."""

from __future__ import annotations

from torch import nn

from harness.heads.dropout import StreamDropout


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
