"""The one training loop. It gives back an outcome and knows nothing of records.

It asks for the gradient of each batch instead of computing it, so that whoever drives it can
serve several fits in one pass: see `harness.training.gradients`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from harness.data.batches import bucketed
from harness.errors import TrialError, TrialTimeout
from harness.model.ser_model import SERModel
from harness.model.stream_dropout import seed_dropout
from harness.specs import TrainingSpec
from harness.tasks.metrics import score
from harness.training.devices import precision_name
from harness.training.early_stopping import EarlyStopping
from harness.training.fit_inputs import Inputs
from harness.training.gradients import GradientRequest, GradientRequests
from harness.training.prediction import predict


@dataclass(frozen=True)
class EpochResult:
    """One epoch of the learning curve."""

    epoch: int
    train_loss: float
    dev_loss: float
    dev_metric: float
    dev_average: float
    wall_s: float


@dataclass(frozen=True)
class FitOutcome:
    """How a fit went; the model holds the best epoch's weights."""

    curve: tuple[EpochResult, ...]
    best_epoch: int
    stopped: Literal["epochs", "dev_loss"]
    steps: int
    fit_wall_s: float
    precision: str


@dataclass(frozen=True)
class FitCallbacks:
    """Who is told how a fit gets on."""

    on_step: Callable[[int, int], None] = lambda done, total: None
    """Called after each optimiser step with how many are done, and of how many at most."""
    on_epoch: Callable[[EpochResult], None] = lambda point: None


def fit(
    model: SERModel,
    loss: nn.Module,
    train: Inputs,
    dev: Inputs,
    classes: Sequence[str],
    spec: TrainingSpec,
    seed: int,
    accelerator: Accelerator,
    watch: FitCallbacks = FitCallbacks(),
) -> GradientRequests[FitOutcome]:
    """Train `model` in place and leave it with the weights of its best epoch on dev.

    Raises:
        TrialError: the loss is no longer a number.
        TrialTimeout: `spec.time_limit_s` passed.
    """
    started = time.monotonic()
    torch.manual_seed(seed)
    model.to(accelerator.device).train()
    loss.to(accelerator.device)
    seed_dropout(model, seed, accelerator.device)
    plans = [
        _grouped(bucketed(train.split.seconds(), spec.batch_seconds, (seed, epoch)), spec)
        for epoch in range(1, spec.epochs + 1)
    ]
    all_steps = sum(map(len, plans))
    optimizer = accelerator.prepare(make_optimizer(model, spec))
    schedule = LambdaLR(optimizer.optimizer, warmup_then_linear(all_steps, spec.warmup_share))
    stopping = EarlyStopping(spec.early_stopping)
    curve: list[EpochResult] = []
    best, best_epoch, steps = model.trained_state(), 0, 0
    stopped: Literal["epochs", "dev_loss"] = "epochs"

    for epoch, groups in enumerate(plans, start=1):
        epoch_started = time.monotonic()
        total = torch.zeros((), device=accelerator.device)
        batches = train.batches((batch for group in groups for batch in group), (seed, epoch))
        for group in groups:
            for _ in group:
                batch = next(batches)
                value = yield GradientRequest(
                    model, batch.states, _part_of(loss, batch.labels, len(group))
                )
                total += value * len(group) * len(batch.indices)
            accelerator.clip_grad_norm_(trainable(model), spec.max_grad_norm)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            steps += 1
            watch.on_step(steps, all_steps)
            _check_time(started, spec.time_limit_s)
        train_loss = float(total) / len(train.split.labels)
        dev_loss, metric = score_dev(model, loss, dev, classes, spec, accelerator)
        _check_finite(train_loss, dev_loss, epoch)
        verdict = stopping.update(metric, dev_loss)
        wall_s = time.monotonic() - epoch_started
        curve.append(EpochResult(epoch, train_loss, dev_loss, metric, verdict.average, wall_s))
        watch.on_epoch(curve[-1])
        if verdict.is_best:
            best, best_epoch = model.trained_state(), epoch
        if verdict.stop:
            stopped = "dev_loss"
            break

    model.load_trained_state(best)
    return FitOutcome(
        curve=tuple(curve),
        best_epoch=best_epoch,
        stopped=stopped,
        steps=steps,
        fit_wall_s=time.monotonic() - started,
        precision=precision_name(accelerator),
    )


def score_dev(
    model: SERModel,
    loss: nn.Module,
    dev: Inputs,
    classes: Sequence[str],
    spec: TrainingSpec,
    accelerator: Accelerator,
) -> tuple[float, float]:
    """Loss over the whole dev split, and the early-stopping metric."""
    logits = predict(model, dev, spec.batch_seconds, accelerator)
    labels = torch.tensor(dev.split.labels)
    with torch.no_grad():
        value = float(loss(logits.to(accelerator.device), labels.to(accelerator.device)))
    metrics = score(_names(labels, classes), _names(logits.argmax(1), classes), classes)
    return value, float(getattr(metrics, spec.early_stopping.metric))


def make_optimizer(model: SERModel, spec: TrainingSpec) -> AdamW:
    """AdamW with one rate for the head and one for released backbone layers.

    Biases and norms are not decayed.
    """
    released = [p for p in model.backbone.parameters() if p.requires_grad]
    groups = [
        {"params": parameters, "lr": rate, "weight_decay": decay}
        for tensors, rate in (
            (model.head_parameters(), spec.learning_rate.head),
            (released, spec.learning_rate.backbone),
        )
        for parameters, decay in (
            ([p for p in tensors if p.ndim > 1], spec.weight_decay),
            ([p for p in tensors if p.ndim <= 1], 0.0),
        )
        if parameters
    ]
    return AdamW(groups, fused=True)


def warmup_then_linear(steps: int, warmup_share: float) -> Callable[[int], float]:
    """Factor on the learning rates at each step: a linear rise, then a linear fall to 0.

    >>> factor = warmup_then_linear(steps=10, warmup_share=0.2)
    >>> [factor(step) for step in (0, 1, 2, 10)]
    [0.5, 1.0, 1.0, 0.0]
    """
    warmup = round(steps * warmup_share)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return max(0.0, (steps - step) / max(1, steps - warmup))

    return factor


def trainable(model: nn.Module) -> list[nn.Parameter]:
    """The parameters that the optimiser changes."""
    return [p for p in model.parameters() if p.requires_grad]


def _grouped(plan: list[list[int]], spec: TrainingSpec) -> list[list[list[int]]]:
    """Batches whose gradients are added up before each optimiser step."""
    size = spec.accumulation_steps
    return [plan[start : start + size] for start in range(0, len(plan), size)]


def _part_of(loss: nn.Module, labels: Tensor, parts: int) -> Callable[[Tensor], Tensor]:
    """A batch's loss, where `parts` batches are added up to one step."""
    return lambda logits: loss(logits, labels) / parts


def _names(numbers: Tensor, classes: Sequence[str]) -> list[str]:
    return [classes[number] for number in numbers.tolist()]


def _check_time(started: float, limit_s: float | None) -> None:
    if limit_s is not None and time.monotonic() - started > limit_s:
        raise TrialTimeout(f"passed training.time_limit_s = {limit_s:g}")


def _check_finite(train_loss: float, dev_loss: float, epoch: int) -> None:
    if not (math.isfinite(train_loss) and math.isfinite(dev_loss)):
        raise TrialError(
            f"the loss became {train_loss} on train and {dev_loss} on dev in epoch {epoch}: "
            "lower the learning rates, or use precision: float32"
        )
