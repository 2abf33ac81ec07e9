"""Computes the gradients that fits ask for; those of several frozen trials in one pass.

A GPU waits for its next kernel during most of a step on a frozen backbone, so there the heads of
several trials share their kernels: their tensors are stacked, and torch maps one head over them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.functional import pad

from backbones.base import Frames
from harness.model.ser_model import SERModel
from harness.model.stream_dropout import dropouts

Found = TypeVar("Found")


@dataclass(frozen=True)
class GradientRequest:
    """A batch whose loss, and the loss's gradient in the trained parameters, is asked for."""

    model: SERModel
    states: tuple[Frames, ...]
    loss: Callable[[Tensor], Tensor]
    """From logits (B, C) to a scalar."""


GradientRequests = Generator[GradientRequest, Tensor, Found]
"""Work that asks for gradients and is told the losses, and gives back what it found."""


def drive(work: Sequence[GradientRequests[Found]], accelerator: Accelerator) -> list[Found]:
    """Do several pieces of work at once, and give back what each found.

    More than one needs frozen backbones and heads of one shape; each draws its own dropout, so it
    learns what it would learn alone. An error that one of them raises, and does not handle, ends
    all of them; one that comes up in a shared pass is raised in each.
    """
    found: dict[int, Found] = {}
    answers: dict[int, Tensor | Exception | None] = dict.fromkeys(range(len(work)))
    while answers:
        asks: dict[int, GradientRequest] = {}
        for number, answer in answers.items():
            try:
                asks[number] = _go_on(work[number], answer)
            except StopIteration as end:
                found[number] = end.value
        answers = _answers(asks, accelerator)
    return [found[number] for number in range(len(work))]


def _go_on(work: GradientRequests[Found], answer: Tensor | Exception | None) -> GradientRequest:
    if answer is None:
        return next(work)
    return work.throw(answer) if isinstance(answer, Exception) else work.send(answer)


def _answers(
    asks: dict[int, GradientRequest], accelerator: Accelerator
) -> dict[int, Tensor | Exception | None]:
    """A loss for everyone who asks, or the error that there was instead."""
    if not asks:
        return {}
    try:
        losses = learn(list(asks.values()), accelerator)
    except Exception as error:
        return dict.fromkeys(asks, error)
    return dict(zip(asks, losses, strict=True))


def learn(asks: Sequence[GradientRequest], accelerator: Accelerator) -> list[Tensor]:
    """Add the gradients of all losses to the parameters they depend on; the losses."""
    with accelerator.autocast():
        if len(asks) == 1:
            logits = [asks[0].model.suffix(asks[0].states)]
        else:
            logits = side_by_side([(ask.model, ask.states) for ask in asks])
        losses = [ask.loss(own) for ask, own in zip(asks, logits, strict=True)]
    accelerator.backward(torch.stack(losses).sum())
    return [loss.detach() for loss in losses]


class Head(nn.Module):
    """What a model with a frozen backbone trains."""

    def __init__(self, model: SERModel) -> None:
        super().__init__()
        self.layer_sum, self.pooling, self.classifier = (
            model.layer_sum,
            model.pooling,
            model.classifier,
        )
        self.training = model.training

    def forward(self, values: Sequence[Tensor], mask: Tensor) -> Tensor:
        """Class logits.

        Shape:
            values: (B, F, D) for each state
            mask: (B, F)
            output: (B, C), float32
        """
        summed = values[0] if self.layer_sum is None else self.layer_sum(values)
        logits: Tensor = self.classifier(self.pooling(summed, mask))
        return logits.float()


def side_by_side(inputs: Sequence[tuple[SERModel, Sequence[Frames]]]) -> list[Tensor]:
    """The logits of several models with heads of one shape, each on its own batch.

    Shape:
        output: (B, C) for each model, with its own B
    """
    heads = [Head(model) for model, _ in inputs]
    rows = [len(states[-1].lengths) for _, states in inputs]
    own = [_tensors(head, count, max(rows)) for head, count in zip(heads, rows, strict=True)]
    tensors = {name: torch.stack([each[name] for each in own]) for name in own[0]}
    batches = [_stacked(alike) for alike in zip(*(states for _, states in inputs), strict=True)]

    def one(tensors: dict[str, Tensor], values: tuple[Tensor, ...], mask: Tensor) -> Tensor:
        logits: Tensor = functional_call(heads[0], tensors, (values, mask))
        return logits

    values, mask = tuple(values for values, _ in batches), batches[-1][1]
    logits = vmap(one)(tensors, values, mask)
    return [own[:count] for own, count in zip(logits, rows, strict=True)]


def _tensors(head: Head, rows: int, most_rows: int) -> dict[str, Tensor]:
    """A head's parameters, and what it drops from a batch, which then may have more rows."""
    tensors: dict[str, Tensor] = dict(head.named_parameters())
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
