"""What a trial learns from and is scored on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from harness.data.batches import LabelledSplit
from harness.data.prepared_corpus import Fold
from harness.runs.backbone_frames import BackboneFrames
from harness.specs import Trial
from harness.training.fit_checkpoints import Checkpoints


@dataclass(frozen=True)
class TrialData:
    """One fold as a trial sees it."""

    trial: Trial
    frames: BackboneFrames
    fold: Fold
    splits: Mapping[str, LabelledSplit]
    """"train", "dev" and "test"."""
    outputs: int
    """How many values the network gives."""
    loss: nn.Module
    score_dev: Callable[[Tensor], float]
    """From the outputs of all of dev, (N, W), to the metric that selects."""
    accelerator: Accelerator
    checkpoints: Checkpoints = field(default_factory=Checkpoints)

    def loss_of(self, name: str, values: Tensor, device: torch.device) -> float:
        """The loss of the outputs of a whole split."""
        split = self.splits[name]
        targets = split.targets_of(range(len(split.targets)))
        with torch.no_grad():
            return float(self.loss.to(device)(values.to(device), targets.to(device)))
