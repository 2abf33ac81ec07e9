"""Logits of a whole split."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from accelerate import Accelerator
from torch import Tensor

from harness.data.batches import bucketed
from harness.model.ser_model import SERModel
from harness.training.fit_inputs import Inputs


def predict(
    model: SERModel, inputs: Inputs, batch_seconds: float, accelerator: Accelerator
) -> Tensor:
    """Logits of every utterance, in the split's order, on the CPU.

    Shape:
        output: (len(split.utterances), C), float32
    """
    plan = bucketed(inputs.split.seconds(), batch_seconds)
    logits: list[Tensor] = []
    order: list[int] = []
    with evaluating(model), torch.inference_mode():
        for batch in inputs.batches(plan):
            with accelerator.autocast():
                logits.append(model.suffix(batch.states).float().cpu())
            order += batch.indices
    return torch.cat(logits)[torch.tensor(order).argsort()]


@contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Put `model` in eval mode for a while."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
