"""All that changes while models are fitted, in objects that can be saved and loaded."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from harness.errors import TrialError
from harness.model.ser_model import SERModel
from harness.specs import TrainingSpec
from harness.training.early_stopping import EarlyStopping
from harness.training.fit_driver import EpochResult
from harness.training.optimisation import (
    make_optimizer,
    optimiser_step,
    trainable,
    warmup_then_linear,
)

Stopped = Literal["epochs", "dev_loss"]


@dataclass(eq=False)
class TrainingState:
    """Of one fit: weights, optimiser, schedule, early stopping, random numbers and the curve.

    A state that is loaded into a new one goes on as if nothing had been interrupted.
    """

    model: SERModel
    optimizer: AdamW
    schedule: LambdaLR
    stopping: EarlyStopping
    accelerator: Accelerator
    dropout_stream: torch.Generator
    parameters: list[nn.Parameter]
    """What the optimiser changes."""
    best: dict[str, Tensor]
    """The trained tensors of the best epoch so far, on the CPU."""
    max_grad_norm: float
    curve: list[EpochResult] = field(default_factory=list)
    steps: int = 0
    best_epoch: int = 0
    stopped: Stopped | None = None
    """Why it ended; None while it goes on."""
    error: TrialError | None = None
    """Why it cannot go on."""

    @classmethod
    def start(
        cls,
        model: SERModel,
        spec: TrainingSpec,
        epochs: int,
        steps: int,
        dropout_stream: torch.Generator,
        accelerator: Accelerator,
    ) -> TrainingState:
        """Before the first of so many epochs and optimiser steps; the model is on its device."""
        optimizer = make_optimizer(model, spec)
        return cls(
            model=model,
            optimizer=optimizer,
            schedule=LambdaLR(optimizer, warmup_then_linear(steps, spec.warmup_share)),
            stopping=EarlyStopping(spec.early_stopping, epochs),
            accelerator=accelerator,
            dropout_stream=dropout_stream,
            parameters=trainable(model),
            best=model.trained_state(),
            max_grad_norm=spec.max_grad_norm,
        )

    @property
    def ended(self) -> bool:
        """Whether it is over before its last epoch."""
        return self.stopped is not None or self.error is not None

    def step(self) -> None:
        """Take an optimiser step on the gradients that are there."""
        optimiser_step(self.accelerator, self.optimizer, self.parameters, self.max_grad_norm)
        self.schedule.step()
        self.steps += 1

    def end_epoch(
        self, train_loss: float, dev_loss: float, dev_metric: float, wall_s: float
    ) -> EpochResult:
        """Take in an epoch's scores: keep its weights if they are the best, and maybe stop."""
        decision = self.stopping.update(dev_metric, dev_loss)
        epoch = len(self.curve) + 1
        result = EpochResult(epoch, train_loss, dev_loss, dev_metric, decision.average, wall_s)
        self.curve.append(result)
        if decision.is_best:
            self.best, self.best_epoch = self.model.trained_state(), epoch
        if decision.stop:
            self.stopped = "dev_loss"
        return result

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values alone, as `torch.save` writes and safely reads."""
        return {
            "trained": self.model.trained_state(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.accelerator.scaler.state_dict() if self.accelerator.scaler else None,
            "stopping": self.stopping.state_dict(),
            "random": self._random_numbers(),
            "best": self.best,
            "best_epoch": self.best_epoch,
            "curve": [asdict(result) for result in self.curve],
            "steps": self.steps,
            "stopped": self.stopped,
            "error": self.error and str(self.error),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave, for the same model and settings.

        Raises:
            UserError: its tensors do not fit this model.
        """
        self.model.load_trained_state(state["trained"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        if state["scaler"] is not None and self.accelerator.scaler:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        self.stopping.load_state_dict(state["stopping"])
        self.best, self.best_epoch = dict(state["best"]), state["best_epoch"]
        self.curve = [EpochResult(**result) for result in state["curve"]]
        self.steps, self.stopped = state["steps"], state["stopped"]
        self.error = TrialError(state["error"]) if state["error"] else None
        self._set_random_numbers(state["random"])

    def _random_numbers(self) -> dict[str, Tensor]:
        """States of the generators that dropout in backbone and head draws from."""
        states = {"torch": torch.get_rng_state(), "dropout": self.dropout_stream.get_state()}
        if self.accelerator.device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(self.accelerator.device)
        return states

    def _set_random_numbers(self, states: Mapping[str, Tensor]) -> None:
        torch.set_rng_state(states["torch"])
        self.dropout_stream.set_state(states["dropout"])
        if "cuda" in states:
            torch.cuda.set_rng_state(states["cuda"], self.accelerator.device)


@dataclass(eq=False)
class FitProgress:
    """How far the models of a fit have come, which share their batches."""

    states: Sequence[TrainingState]
    started: float
    """On the monotonic clock, were it all in one go."""
    epoch: int = 1
    """The one it is in."""
    steps: int = 0
    """Done in this epoch."""
    _epoch_started: float = field(default_factory=time.monotonic)
    _train_losses: Tensor | None = None
    """Of this epoch, summed over the utterances that were seen, of each model that goes on."""

    @property
    def ongoing(self) -> list[TrainingState]:
        """Of the models that are still trained."""
        return [state for state in self.states if not state.ended]

    def train_losses(self, device: torch.device) -> Tensor:
        """The sums of this epoch, (K,), which whoever trains adds to."""
        if self._train_losses is None:
            self._train_losses = torch.zeros(len(self.ongoing), device=device)
        self._train_losses = self._train_losses.to(device)
        return self._train_losses

    def end_epoch(self) -> float:
        """Turn to the next epoch; how long the last one took, in seconds."""
        now = time.monotonic()
        wall_s = now - self._epoch_started
        self.epoch, self.steps = self.epoch + 1, 0
        self._train_losses, self._epoch_started = None, now
        return wall_s

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values alone, as `torch.save` writes and safely reads."""
        now = time.monotonic()
        return {
            "models": [state.state_dict() for state in self.states],
            "epoch": self.epoch,
            "steps": self.steps,
            "train_losses": self._train_losses,
            "wall_s": now - self.started,
            "epoch_wall_s": now - self._epoch_started,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave, for the same models and settings.

        Raises:
            UserError: its tensors do not fit these models.
        """
        for own, saved in zip(self.states, state["models"], strict=True):
            own.load_state_dict(saved)
        self.epoch, self.steps = state["epoch"], state["steps"]
        self._train_losses = state["train_losses"]
        now = time.monotonic()
        self.started = now - state["wall_s"]
        self._epoch_started = now - state["epoch_wall_s"]
