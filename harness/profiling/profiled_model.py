"""The model that is profiled: one backbone with its head, and the steps that it takes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import soundfile
import torch
from accelerate import Accelerator
from torch import nn
from torch.optim import AdamW

from backbones.base import Backbone
from backbones.cards import BackboneError
from harness.data.audio import SAMPLE_RATE_HZ
from harness.data.batches import Batch, LabelledSplit, load_batch, stream
from harness.data.utterances import Utterance
from harness.model.building import build_model, load_backbone, outline_backbone
from harness.model.components import LOSSES
from harness.model.ser_model import SERModel
from harness.model.stream_dropout import seed_dropout
from harness.results.records import Mode
from harness.specs import CostTrial, TrainingSpec
from harness.training.fit_inputs import AudioInputs, PrefixBatch
from harness.training.gradients import GradientPasses, GradientRequest
from harness.training.optimisation import make_optimizer, optimiser_step, trainable
from harness.training.prediction import evaluating

CLASSES = 8
"""Width of the output layer in cost measurements; its share of the work is negligible."""

MAX_GRAD_NORM = 1.0

Step = Callable[[], None]


@dataclass(frozen=True)
class ProfiledModel:
    """A model on its device, ready to infer and to learn."""

    model: SERModel
    loss: nn.Module
    optimizer: AdamW
    accelerator: Accelerator
    load_s: float

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        device: torch.device = self.accelerator.device
        return device


def load(trial: CostTrial, accelerator: Accelerator, *, offline: bool) -> ProfiledModel:
    """BatchShape what a cost trial names, and put it on the device.

    What is imported for it is imported before the clock starts: it is the program's and no
    backbone's, and only the first one of a process would pay for it.
    """
    with suppress(BackboneError):  # a network of the user's own that has yet to be fetched
        outline_backbone(trial.backbone)
    started = time.monotonic()
    backbone = load_backbone(trial.backbone, offline=offline)
    backbone.frozen_mode = trial.frozen_mode
    model = build_model(backbone, trial.head, CLASSES, trial.finetune_layers, seed=0)
    model.to(accelerator.device)
    seed_dropout([model], 0, accelerator.device)
    load_s = time.monotonic() - started
    # one optimizer serves all shapes: it holds two numbers for every trained one
    optimizer = make_optimizer(model, TrainingSpec())
    loss = LOSSES["cross_entropy"].load()([1] * CLASSES).to(accelerator.device)
    return ProfiledModel(model, loss, optimizer, accelerator, load_s)


def frame_count(backbone: Backbone, duration_s: float) -> int:
    """How many frames a backbone makes of an utterance."""
    samples = torch.tensor([round(duration_s * SAMPLE_RATE_HZ)])
    return int(backbone.frame_lengths(samples))


@contextmanager
def prepared_step(
    profiled: ProfiledModel, mode: Mode, duration_s: float, batch_size: int
) -> Iterator[Step]:
    """A step of one kind and shape, to be called again and again, on the whole uncached path."""
    with tempfile.TemporaryDirectory() as folder:
        split = recordings(Path(folder), duration_s, batch_size)
        audio = AudioInputs(split, profiled.model, profiled.accelerator)
        rows = list(range(batch_size))
        if mode == "train_end_to_end":
            profiled.model.train()
            with closing(stream(split, repeat(rows))) as batches:
                yield lambda: _learn(profiled, audio.begin(next(batches)))
            return
        batch = load_batch(split, rows, ()).to(profiled.device)
        if mode == "train":
            profiled.model.train()
            yield lambda: _learn(profiled, audio.begin(batch))
            return
        with evaluating(profiled.model), torch.inference_mode():
            yield lambda: _infer(profiled, batch)


def recordings(folder: Path, duration_s: float, count: int) -> LabelledSplit:
    """Noise at speech level in WAV files: a step takes as long whatever is said."""
    generator = torch.Generator().manual_seed(0)
    utterances = []
    for number in range(count):
        path = folder / f"{number}.wav"
        noise = 0.1 * torch.randn(round(duration_s * SAMPLE_RATE_HZ), generator=generator)
        soundfile.write(path, noise.numpy(), SAMPLE_RATE_HZ)
        utterances.append(Utterance(str(number), path))
    targets = tuple(number % CLASSES for number in range(count))
    return LabelledSplit(tuple(utterances), targets, (duration_s,) * count)


def _infer(profiled: ProfiledModel, batch: Batch) -> None:
    with profiled.accelerator.autocast():
        profiled.model.logits(batch.waveforms, batch.lengths)


def _learn(profiled: ProfiledModel, start: PrefixBatch) -> None:
    request = GradientRequest(
        profiled.model, start.states, lambda logits: profiled.loss(logits, start.targets)
    )
    GradientPasses(profiled.accelerator).add([request])
    parameters = trainable(profiled.model)
    optimiser_step(profiled.accelerator, profiled.optimizer, parameters, MAX_GRAD_NORM)
