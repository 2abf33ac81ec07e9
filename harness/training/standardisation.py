"""Measures on train, before the first step, by what the head standardises."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from accelerate import Accelerator
from torch import Tensor

from harness.data.batches import bucketed
from harness.model.ser_model import SERModel
from harness.model.standardise import Moments, Standardise
from harness.training.fit_inputs import Inputs
from harness.training.prediction import evaluating

Seen = Callable[[list[Tensor], Tensor], Sequence[tuple[Tensor, Tensor]]]
"""From what the head takes to the values, (B, F, D), and masks, (B, F), that are measured."""


def standardise_on(
    model: SERModel, train: Inputs, batch_seconds: float, seed: int, accelerator: Accelerator
) -> None:
    """Set the means and deviations of frames, then those of what pooling makes of them at first.

    Each utterance counts the same. Long ones are cropped as in an epoch before the first.

    Raises:
        ValueError: train has no utterances.
    """
    pooling = model.head.frame_pooling

    def frames(values: list[Tensor], mask: Tensor) -> list[tuple[Tensor, Tensor]]:
        return [(each, mask) for each in values]

    def pooled(values: list[Tensor], mask: Tensor) -> list[tuple[Tensor, Tensor]]:
        vectors = pooling.pooled(values, mask)
        return [(vectors[:, None], mask.new_ones(len(vectors), 1))]

    plan = bucketed(train.split.seconds(), batch_seconds)
    scales: list[tuple[Sequence[Standardise], Seen]] = [
        ([module for module in pooling.frame_scales if isinstance(module, Standardise)], frames),
        ([pooling.pooled_scale], pooled),
    ]
    with evaluating(model), torch.inference_mode():
        for targets, seen in scales:
            found = [Moments() for _ in targets]
            for batch in train.batches(plan, (seed, 0)):
                with accelerator.autocast():
                    inputs = model.head_inputs(batch.states)
                    measured = seen(*inputs)
                for moments, (values, mask) in zip(found, measured, strict=True):
                    moments.add(values, mask)
            for target, moments in zip(targets, found, strict=True):
                target.set(*moments.found())
