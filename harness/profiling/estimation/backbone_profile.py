"""A backbone's profile on this machine: its work, and how fast each component of it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import torch
from accelerate import Accelerator

from backbones.base import Backbone
from backbones.cards import released_layers
from harness.cache.frame_views import Form, FrameView, frame_views
from harness.model.building import build_model, outline_backbone
from harness.profiling.estimation.calibration import (
    BackboneSpeed,
    CalibrationBatch,
    HeadSpeed,
    backbone_speed,
    head_speed,
)
from harness.profiling.estimation.work import BackboneWork, Work, head_work, work_of
from harness.profiling.profiled_model import CLASSES, frame_count
from harness.specs import BackboneSpec, HeadSpec, Trial


@dataclass
class BackboneProfile:
    """Of one backbone in one precision. Everything is counted and timed when first asked for."""

    backbone: Backbone
    batch: CalibrationBatch
    accelerator: Accelerator
    _heads: dict[tuple[HeadSpec, Form], tuple[Work, HeadSpeed]] = field(default_factory=dict)
    _frames: dict[float, int] = field(default_factory=dict)

    @cached_property
    def work(self) -> BackboneWork:
        """What the backbone computes."""
        return work_of(self.backbone, self.accelerator.device)

    @cached_property
    def speed(self) -> BackboneSpeed:
        """How fast it does."""
        return backbone_speed(self.backbone, self.work, self.batch, self.accelerator)

    @property
    def flops_per_audio_s(self) -> float:
        """Of a whole forward pass, over an utterance of the usual length."""
        frames = self.frames(self.batch.seconds)
        return self.work.prefix(frames, self.work.layers) / self.batch.seconds

    def frames(self, seconds: float) -> int:
        """How many frames an utterance has."""
        if seconds not in self._frames:
            self._frames[seconds] = frame_count(self.backbone, seconds)
        return self._frames[seconds]

    def released(self, trial: Trial) -> int:
        """How many layers a trial trains."""
        return released_layers(trial.finetune_layers, len(self.backbone.layers))

    def views(self, trial: Trial) -> tuple[FrameView, ...]:
        """What a trial starts from."""
        return frame_views(trial.head, trial.finetune_layers, len(self.backbone.layers))

    def prefix_s(self, rows: int, frames: int, depth: int) -> float:
        """Seconds that a batch takes from waveforms to a depth."""
        stem = self.speed.stem.seconds(rows * self.work.stem.flops(frames))
        return stem + depth * self.speed.layer.seconds(rows * self._layer_flops(frames))

    def suffix_s(self, rows: int, frames: int, trial: Trial, *, training: bool) -> float:
        """Seconds that a batch takes from a trial's frozen frames to logits, or to a step."""
        view = self.views(trial)[0]
        work, speed = self._head(trial.head, view.form)
        head = speed.train if training else speed.infer
        layer = self.speed.released if training else self.speed.layer
        layer_s = layer.seconds(rows * self._layer_flops(frames))
        head_s = head.seconds(rows * work.flops(view.rows(frames)))
        return head_s + self.released(trial) * layer_s

    def _layer_flops(self, frames: int) -> float:
        return self.work.layer.flops(frames + self.work.extra_tokens)

    def _head(self, head: HeadSpec, form: Form) -> tuple[Work, HeadSpeed]:
        known = head.model_copy(update={"dropout": 0.5}), form  # at any rate it takes as long
        if known not in self._heads:
            model = build_model(self.backbone, known[0], CLASSES, 0, seed=0)
            model.to(self.accelerator.device).eval()
            work = head_work(model)
            speed = head_speed(model, work, FrameView(0, form), self.batch, self.accelerator)
            self._heads[known] = work, speed
        return self._heads[known]


NUMBERS = 1 << 16
SCALE = 0.02  # of weights as they are usually drawn


def placeholder_backbone(spec: BackboneSpec, device: torch.device) -> Backbone:
    """The backbone that a suite names, without its weights: nothing is fetched or verified.

    Every tensor repeats the same small random numbers. How long a product takes does not depend
    on them, and to draw as many as a large network has takes longer than to time it.

    Raises:
        BackboneError: it is a user's own network, and its settings are not on this machine.
    """
    network = outline_backbone(spec)
    network.to_empty(device=device)
    numbers = SCALE * torch.rand(NUMBERS, generator=torch.Generator().manual_seed(0))
    for tensor in network.state_dict().values():
        repeats = -(-tensor.numel() // NUMBERS)
        tensor.copy_(numbers.repeat(repeats)[: tensor.numel()].view(tensor.shape))
    return network.finetune(0).eval()
