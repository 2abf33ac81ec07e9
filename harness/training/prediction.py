"""Outputs of a whole split."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from accelerate import Accelerator
from torch import Tensor

from harness.data.batches import bucketed
from harness.model.ser_model import SERModel
from harness.training.fit_inputs import Inputs
from harness.training.head_stack import Network, outputs_of


def predict(
    network: SERModel, inputs: Inputs, batch_seconds: float, accelerator: Accelerator
) -> Tensor:
    """Outputs of every utterance, in the split's order, on the CPU.

    Shape:
        output: (len(split.utterances), W), float32
    """
    (found,) = predict_all(network, inputs, batch_seconds, accelerator)
    return found


def predict_all(
    network: Network, inputs: Inputs, batch_seconds: float, accelerator: Accelerator
) -> list[Tensor]:
    """Those of each model, in one pass over the split."""
    plan = bucketed(inputs.split.seconds(), batch_seconds)
    outputs: list[Tensor] = []
    order: list[int] = []
    with evaluating(network), torch.inference_mode():
        for batch in inputs.batches(plan):
            with accelerator.autocast():
                found = torch.stack(outputs_of(network, batch.states))
            outputs.append(found.float().cpu())
            order += batch.indices
    return list(torch.cat(outputs, dim=1)[:, torch.tensor(order).argsort()])


@contextmanager
def evaluating(network: Network) -> Iterator[None]:
    """Put what is trained in eval mode for a while."""
    was_training = network.training
    network.train(False)
    try:
        yield
    finally:
        network.train(was_training)
