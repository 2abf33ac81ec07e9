"""The optimiser steps of a fit: their batches, and what each batch counts in its step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from torch import Tensor, nn

from harness.data.batches import bucketed
from harness.model.losses import loss_weight
from harness.specs import TrainingSpec
from harness.training.fit_inputs import Inputs
from harness.training.optimisation import enough_epochs

EpochPlan = list[list[list[int]]]
"""Optimiser steps, each a list of batches, each a list of positions in the train split."""


def epoch_plans(train: Inputs, spec: TrainingSpec, seed: int) -> Iterator[EpochPlan]:
    """The batches of every epoch, those whose gradients are added up lying together.

    As many as the settings say, or as many as are enough for a corpus of this size.
    """
    size = spec.accumulation_steps

    def plan(epoch: int) -> EpochPlan:
        batches = bucketed(train.split.seconds(), spec.batch_seconds, (seed, epoch))
        return [batches[start : start + size] for start in range(0, len(batches), size)]

    epochs = spec.epochs or enough_epochs(len(plan(1)))
    return map(plan, range(1, epochs + 1))


def shares_of(loss: nn.Module, train: Inputs, step: Sequence[Sequence[int]]) -> list[float]:
    """What each batch of a step counts in it, so that the step's loss is that of all together."""
    if len(step) == 1:
        return [1.0]
    sizes = [loss_weight(loss, train.split.targets_of(batch)) for batch in step]
    return [size / sum(sizes) for size in sizes]


def part_of(loss: nn.Module, targets: Tensor, share: float) -> Callable[[Tensor], Tensor]:
    """A batch's loss, where it is so large a share of a step."""
    return lambda outputs: loss(outputs, targets) * share
