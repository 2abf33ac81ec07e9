"""The one training loop. It gives back an outcome and knows nothing of records.

It requests the gradient of each batch instead of computing it, so that whoever drives it can
serve several fits in one pass: see `harness.training.fit_driver`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from harness.errors import TrialError, TrialTimeout
from harness.model.ser_model import SERModel
from harness.model.stream_dropout import seed_dropout
from harness.specs import TrainingSpec
from harness.training.devices import precision_name
from harness.training.fit_checkpoints import UNSAVED, FitCheckpoint
from harness.training.fit_driver import (
    EpochEnded,
    EpochResult,
    Fitting,
    StepEnded,
    losses_of,
)
from harness.training.fit_inputs import Inputs
from harness.training.gradients import GradientRequest
from harness.training.head_stack import HeadStack
from harness.training.prediction import predict_all
from harness.training.standardisation import standardise_on
from harness.training.step_plans import EpochPlan, epoch_plans, part_of, shares_of
from harness.training.training_state import FitProgress, Stopped, TrainingState

Score = Callable[[Tensor], tuple[float, float]]
"""From the outputs of the whole dev split (N, W) to its loss and the metric that selects."""


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
    checkpoint: FitCheckpoint = UNSAVED,
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
        checkpoint: where its state is saved, and from which it goes on as if nothing had happened

    Raises:
        TrialError: the loss is no longer a number.
        TrialTimeout: `spec.time_limit_s` passed.
        Interrupted: it was asked to stop, and its state is saved.
    """
    (found,) = yield from fit_all(
        [model], loss, train, dev, score, [spec], seed, accelerator, checkpoint
    )
    if isinstance(found, TrialError):
        raise found
    return found


def fit_all(
    models: Sequence[SERModel],
    loss: nn.Module,
    train: Inputs,
    dev: Inputs,
    score: Score,
    specs: Sequence[TrainingSpec],
    seed: int,
    accelerator: Accelerator,
    checkpoint: FitCheckpoint = UNSAVED,
) -> Fitting[list[FitOutcome | TrialError]]:
    """As `fit`, for several models that share batches and passes; each learns as it would alone.

    More than one need heads of one shape, drawn from one seed, on one frozen backbone, and
    settings that differ in nothing but dropout, rates, decay, clipping and early stopping. One
    whose loss is no longer a number ends with that error, the others go on.
    """
    started = time.monotonic()
    common = _Common(loss.to(accelerator.device), train, dev, score, specs[0], seed, accelerator)
    torch.manual_seed(seed)
    for model in models:
        model.to(accelerator.device).train()
    saved = checkpoint.load()
    if saved is None:
        _standardise(models, common)
    plans = []
    for plan in epoch_plans(train, common.spec, seed):
        plans.append(plan)
        _check_time(started, common.spec)
    progress = FitProgress(_states(models, specs, plans, common), started)
    if saved is not None:
        progress.load_state_dict(saved)
    while progress.ongoing and progress.epoch <= len(plans):
        yield from _epoch(progress, plans, common, checkpoint)
    checkpoint.end(progress.state_dict)
    return [_outcome(state, progress.started) for state in progress.states]


@dataclass(frozen=True)
class _Common:
    """What the models of a fit have in common."""

    loss: nn.Module
    train: Inputs
    dev: Inputs
    score: Score
    spec: TrainingSpec
    seed: int
    accelerator: Accelerator


def _standardise(models: Sequence[SERModel], common: _Common) -> None:
    """Measured once: models that share their batches begin as the same."""
    first, *others = models
    standardise_on(first, common.train, common.spec.batch_seconds, common.seed, common.accelerator)
    for model in others:
        model.load_trained_state(first.trained_state())


def _states(
    models: Sequence[SERModel],
    specs: Sequence[TrainingSpec],
    plans: Sequence[EpochPlan],
    common: _Common,
) -> list[TrainingState]:
    accelerator, steps = common.accelerator, sum(map(len, plans))
    streams = seed_dropout([model.head for model in models], common.seed, accelerator.device)
    return [
        TrainingState.start(model, spec, len(plans), steps, stream, accelerator)
        for model, spec, stream in zip(models, specs, streams, strict=True)
    ]


def _epoch(
    progress: FitProgress, plans: Sequence[EpochPlan], common: _Common, checkpoint: FitCheckpoint
) -> Fitting[None]:
    """Train for an epoch, or for what is left of it, and score dev."""
    states = progress.ongoing
    models = [state.model for state in states]
    network = models[0] if len(models) == 1 else HeadStack(models)
    totals = progress.train_losses(common.accelerator.device)
    plan, total_steps = plans[progress.epoch - 1], sum(map(len, plans))
    left = plan[progress.steps :]
    order = (batch for step in left for batch in step)
    batches = common.train.batches(order, (common.seed, progress.epoch))
    for step in left:
        for share in shares_of(common.loss, common.train, step):
            batch = next(batches)
            part = part_of(common.loss, batch.targets, share)
            losses = yield from losses_of(GradientRequest(network, batch.states, part))
            totals += losses / share * len(batch.indices)
        for state in states:
            state.step()
        progress.steps += 1
        yield StepEnded(states[0].steps, total_steps)
        checkpoint.after_step(progress.state_dict)
        _check_time(progress.started, common.spec)
    outputs = predict_all(network, common.dev, common.spec.batch_seconds, common.accelerator)
    train_losses = (totals / len(common.train.split.utterances)).tolist()
    scores = [_score(common.score, own) for own in outputs]
    wall_s = progress.end_epoch()
    for state, train_loss, found in zip(states, train_losses, scores, strict=True):
        yield from _end_epoch(state, train_loss, *found, wall_s)


def _check_time(started: float, spec: TrainingSpec) -> None:
    limit_s = spec.time_limit_s
    if limit_s is not None and time.monotonic() > started + limit_s:
        raise TrialTimeout(f"passed training.time_limit_s = {limit_s:g}")


def _score(score: Score, outputs: Tensor) -> tuple[float, float]:
    """What is not a number cannot be scored."""
    return score(outputs) if outputs.isfinite().all() else (math.nan, math.nan)


def _end_epoch(
    state: TrainingState, train_loss: float, dev_loss: float, metric: float, wall_s: float
) -> Iterator[EpochEnded]:
    """Take in what an epoch gave; a loss that is not a number ends the fit."""
    if math.isfinite(train_loss) and math.isfinite(dev_loss):
        yield EpochEnded(state.end_epoch(train_loss, dev_loss, metric, wall_s))
        return
    state.error = TrialError(
        f"the loss became {train_loss} on train and {dev_loss} on dev in epoch "
        f"{len(state.curve) + 1}: lower the learning rates, or use precision: float32"
    )


def _outcome(state: TrainingState, started: float) -> FitOutcome | TrialError:
    if state.error is not None:
        return state.error
    state.model.load_trained_state(state.best)
    return FitOutcome(
        curve=tuple(state.curve),
        best_epoch=state.best_epoch,
        stopped=state.stopped or "epochs",
        steps=state.steps,
        fit_wall_s=time.monotonic() - started,
        precision=precision_name(state.accelerator),
    )
