"""A loss that ends the program, as a plug-in may."""

import sys
from collections.abc import Sequence

from torch import Tensor, nn


class LeavingLoss(nn.Module):
    def __init__(self, class_counts: Sequence[int]) -> None:
        super().__init__()

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        sys.exit(0)
