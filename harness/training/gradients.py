"""Gradients of batches; those of several models on frozen backbones in one pass.

A GPU waits for its next kernel during most of a step on a frozen backbone, so there the heads of
several trials share their kernels: their tensors are stacked, and torch maps one head over them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.func import functional_call, vmap
from torch.nn.functional import pad

from backbones.base import Frames
from harness.model.head import Head
from harness.model.ser_model import SERModel
from harness.model.stream_dropout import dropouts


@dataclass(frozen=True)
class GradientRequest:
    """A batch whose loss, and the loss's gradient in the trained parameters, is wanted."""

    model: SERModel
    states: tuple[Frames, ...]
    loss: Callable[[Tensor], Tensor]
    """From the model's outputs (B, W) to a scalar."""


def add_gradients(requests: Sequence[GradientRequest], accelerator: Accelerator) -> list[Tensor]:
    """Add the gradients of all losses to the parameters they depend on; the losses.

    More than one request needs frozen backbones and heads of one shape.
    """
    with accelerator.autocast():
        if len(requests) == 1:
            outputs = [requests[0].model.suffix(requests[0].states)]
        else:
            outputs = side_by_side([(each.model, each.states) for each in requests])
        losses = [each.loss(own) for each, own in zip(requests, outputs, strict=True)]
    accelerator.backward(torch.stack(losses).sum())
    return [loss.detach() for loss in losses]


def side_by_side(inputs: Sequence[tuple[SERModel, Sequence[Frames]]]) -> list[Tensor]:
    """The outputs of several models with heads of one shape, each on its own batch.

    Shape:
        output: (B, W) for each model, with its own B
    """
    heads = [model.head() for model, _ in inputs]
    rows = [len(states[-1].lengths) for _, states in inputs]
    own = [_tensors(head, count, max(rows)) for head, count in zip(heads, rows, strict=True)]
    tensors = {name: torch.stack([each[name] for each in own]) for name in own[0]}
    batches = [_stacked(alike) for alike in zip(*(states for _, states in inputs), strict=True)]

    def one(tensors: dict[str, Tensor], values: tuple[Tensor, ...], mask: Tensor) -> Tensor:
        outputs: Tensor = functional_call(heads[0], tensors, (values, mask))
        return outputs

    values, mask = tuple(values for values, _ in batches), batches[-1][1]
    outputs = vmap(one)(tensors, values, mask)
    return [own[:count] for own, count in zip(outputs, rows, strict=True)]


def _tensors(head: Head, rows: int, most_rows: int) -> dict[str, Tensor]:
    """A head's tensors, and what it drops from a batch, which then may have more rows."""
    tensors: dict[str, Tensor] = dict(head.named_parameters())
    tensors |= {name: buffer for name, buffer in head.named_buffers() if buffer.numel()}
    for name, module in dropouts(head).items():
        if head.training and module.p > 0:
            tensors[f"{name}.factors"] = pad(module.draw(rows), (0, 0, 0, most_rows - rows))
    return tensors


def _stacked(batches: Sequence[Frames]) -> tuple[Tensor, Tensor]:
    """Frames of several batches, with rows and frames added to the smaller ones.

    Shape:
        output: values (K, B, F, D) and mask (K, B, F), in which no row is without a frame
    """
    rows = max(len(batch.lengths) for batch in batches)
    frames = max(batch.values.shape[1] for batch in batches)
    values, lengths = [], []
    for batch in batches:
        more = rows - len(batch.lengths)
        values.append(pad(batch.values, (0, 0, 0, frames - batch.values.shape[1], 0, more)))
        lengths.append(pad(batch.lengths, (0, more), value=1))
    positions = torch.arange(frames, device=lengths[0].device)
    return torch.stack(values), positions < torch.stack(lengths)[..., None]
