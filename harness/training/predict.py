"""Logits of a whole split."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from accelerate import Accelerator
from torch import Tensor

from harness.batches import LabelledSplit, bucketed, stream
from harness.heads.ser_model import SERModel


def predict(
    model: SERModel, split: LabelledSplit, batch_seconds: float, accelerator: Accelerator
) -> Tensor:
    """Logits of every utterance, in the split's order, on the CPU.

    Shape:
        output: (len(split.utterances), C), float32
    """
    plan = bucketed(split.seconds(), batch_seconds)
    logits: list[Tensor] = []
    order: list[int] = []
    with evaluating(model), torch.inference_mode():
        for batch in stream(split, plan):
            moved = batch.to(accelerator.device)
            with accelerator.autocast():
                logits.append(model.logits(moved.waveforms, moved.lengths).float().cpu())
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
