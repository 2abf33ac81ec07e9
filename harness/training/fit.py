"""The one training loop. It gives back an outcome and knows nothing of records.

It requests the gradient of each batch instead of computing it, so that whoever drives it can
serve several fits in one pass: see `harness.training.fit_driver`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from harness.data.batches import bucketed
from harness.errors import TrialError, TrialTimeout
from harness.model.losses import loss_weight
from harness.model.ser_model import SERModel
from harness.specs import TrainingSpec
from harness.training.devices import precision_name
from harness.training.fit_driver import (
    EpochEnded,
    EpochResult,
    Fitting,
    StepEnded,
    loss_of,
)
from harness.training.fit_inputs import Inputs
from harness.training.gradients import GradientRequest
from harness.training.optimisation import enough_epochs
from harness.training.prediction import predict
from harness.training.standardisation import standardise_on
from harness.training.training_state import Stopped, TrainingState

Score = Callable[[Tensor], tuple[float, float]]
"""From the outputs of the whole dev split (N, W) to its loss and the metric that selects."""

EpochPlan = list[list[list[int]]]
"""Optimiser steps, each a list of batches, each a list of positions in the train split."""


@dataclass(frozen=True)
class FitOutcome:
    """How a fit went; the model holds the best epoch's weights."""

    curve: tuple[EpochResult, ...]
    best_epoch: int
    stopped: Stopped
    steps: int
    fit_wall_s: float
    precision: str


def fit(
    model: SERModel,
    loss: nn.Module,
    train: Inputs,
    dev: Inputs,
    score: Score,
    spec: TrainingSpec,
    seed: int,
    accelerator: Accelerator,
    resume_from: Mapping[str, Any] | None = None,
) -> Fitting[FitOutcome]:
    """Train `model` in place and leave it with the weights of its best epoch on dev.

    Args:
        model: what is trained
        loss: from outputs (B, W) and targets (B,) to a scalar
        train: batches to learn from
        dev: what early stopping and the choice of the epoch look at
        score: dev's loss and the metric that selects
        spec: settings
        seed: of batches, crops and dropout
        accelerator: device and precision
        resume_from: what `TrainingState.state_dict` gave at the end of an epoch

    Raises:
        TrialError: the loss is no longer a number.
        TrialTimeout: `spec.time_limit_s` passed.
    """
    started = time.monotonic()
    torch.manual_seed(seed)
    model.to(accelerator.device).train()
    loss.to(accelerator.device)
    if resume_from is None:
        standardise_on(model, train, spec.batch_seconds, seed, accelerator)
    plans = _epoch_plans(train, spec, seed)
    total_steps = sum(map(len, plans))
    state = TrainingState.start(model, spec, len(plans), total_steps, seed, accelerator)
    if resume_from is not None:
        state.load_state_dict(resume_from)
    started -= state.fit_wall_s
    deadline = _deadline(started, spec.time_limit_s)

    for epoch in range(len(state.curve) + 1, len(plans) + 1):
        if state.stopped:
            break
        epoch_started = time.monotonic()
        total = torch.zeros((), device=accelerator.device)
        batches = train.batches(
            (batch for step in plans[epoch - 1] for batch in step), (seed, epoch)
        )
        for step in plans[epoch - 1]:
            shares = _shares(loss, train, step)
            for share in shares:
                batch = next(batches)
                part = _part_of(loss, batch.targets, share)
                value = yield from loss_of(GradientRequest(model, batch.states, part))
                total += value / share * len(batch.indices)
            state.step()
            yield StepEnded(state.steps, total_steps)
            _check_time(deadline, spec.time_limit_s)
        train_loss = float(total) / len(train.split.utterances)
        outputs = predict(model, dev, spec.batch_seconds, accelerator)
        # what is not a number cannot be scored, and is told below
        dev_loss, metric = score(outputs) if outputs.isfinite().all() else (math.nan, math.nan)
        _check_finite(train_loss, dev_loss, epoch)
        wall_s = time.monotonic() - epoch_started
        state.fit_wall_s += wall_s
        yield EpochEnded(state.end_epoch(train_loss, dev_loss, metric, wall_s))

    model.load_trained_state(state.best)
    return FitOutcome(
        curve=tuple(state.curve),
        best_epoch=state.best_epoch,
        stopped=state.stopped or "epochs",
        steps=state.steps,
        fit_wall_s=time.monotonic() - started,
        precision=precision_name(accelerator),
    )


def _epoch_plans(train: Inputs, spec: TrainingSpec, seed: int) -> list[EpochPlan]:
    """The batches of every epoch, those whose gradients are added up lying together.

    As many as the settings say, or as many as are enough for a corpus of this size.
    """
    size = spec.accumulation_steps

    def plan(epoch: int) -> EpochPlan:
        batches = bucketed(train.split.seconds(), spec.batch_seconds, (seed, epoch))
        return [batches[start : start + size] for start in range(0, len(batches), size)]

    epochs = spec.epochs or enough_epochs(len(plan(1)))
    return [plan(epoch) for epoch in range(1, epochs + 1)]


def _shares(loss: nn.Module, train: Inputs, step: Sequence[Sequence[int]]) -> list[float]:
    """What each batch of a step counts in it, so that the step's loss is that of all together."""
    if len(step) == 1:
        return [1.0]
    sizes = [loss_weight(loss, train.split.targets_of(batch)) for batch in step]
    return [size / sum(sizes) for size in sizes]


def _part_of(loss: nn.Module, targets: Tensor, share: float) -> Callable[[Tensor], Tensor]:
    """A batch's loss, where it is so large a share of a step."""
    return lambda outputs: loss(outputs, targets) * share


def _deadline(started: float, limit_s: float | None) -> float:
    return math.inf if limit_s is None else started + limit_s


def _check_time(deadline: float, limit_s: float | None) -> None:
    if time.monotonic() > deadline:
        raise TrialTimeout(f"passed training.time_limit_s = {limit_s:g}")


def _check_finite(train_loss: float, dev_loss: float, epoch: int) -> None:
    if not (math.isfinite(train_loss) and math.isfinite(dev_loss)):
        raise TrialError(
            f"the loss became {train_loss} on train and {dev_loss} on dev in epoch {epoch}: "
            "lower the learning rates, or use precision: float32"
        )
