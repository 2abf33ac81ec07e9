"""Drives fits: computes the gradients they request, and passes on the events they report."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from accelerate import Accelerator
from torch import Tensor

from backbones.cards import FOREIGN_ERRORS
from harness.interruption import Interrupted
from harness.training.gradients import GradientPasses, GradientRequest

Found = TypeVar("Found")


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
class StepEnded:
    """One optimiser step is done."""

    steps: int
    """Done so far."""
    total: int
    """At most."""


@dataclass(frozen=True)
class EpochEnded:
    """One epoch is done, and dev was scored."""

    result: EpochResult


FitEvent = StepEnded | EpochEnded

Fitting = Generator[GradientRequest | FitEvent, Tensor | None, Found]
"""Work that requests gradients, is sent the losses, reports events, and returns what it found."""


def losses_of(request: GradientRequest) -> Generator[GradientRequest, Tensor | None, Tensor]:
    """Request a gradient from whoever drives the fit; the batch's loss for each model, (K,)."""
    losses = yield request
    return cast("Tensor", losses)


def run_fits(
    work: Sequence[Fitting[Found]], accelerator: Accelerator
) -> Generator[FitEvent, None, list[Found]]:
    """Do several pieces of work at once; yields their events, returns what each found.

    More than one needs frozen backbones and heads of one shape; each draws its own dropout, so it
    learns what it would learn alone. An error that one of them raises, and does not handle, ends
    all of them; one that comes up in a shared pass is raised in each.

    Raises:
        Interrupted: one was asked to stop, and all of them have saved what they had.
    """
    passes = GradientPasses(accelerator)
    found: dict[int, Found] = {}
    interrupted: Interrupted | None = None
    answers: dict[int, Tensor | BaseException | None] = dict.fromkeys(range(len(work)))
    while answers:
        requests: dict[int, GradientRequest] = {}
        for number, answer in answers.items():
            try:
                item = _advance(work[number], answer)
                while isinstance(item, StepEnded | EpochEnded):
                    yield item
                    item = _advance(work[number], None)
            except Interrupted as error:
                interrupted = error
                continue
            if isinstance(item, _Ended):
                found[number] = item.value
            else:
                requests[number] = item
        answers = _answers(requests, passes)
    if interrupted is not None:
        raise interrupted
    return [found[number] for number in range(len(work))]


@dataclass(frozen=True)
class _Ended(Generic[Found]):
    value: Found


def _advance(
    work: Fitting[Found], answer: Tensor | BaseException | None
) -> GradientRequest | FitEvent | _Ended[Found]:
    try:
        if isinstance(answer, BaseException):
            return work.throw(answer)
        return work.send(answer)
    except StopIteration as end:
        return _Ended(end.value)


def _answers(
    requests: dict[int, GradientRequest], passes: GradientPasses
) -> dict[int, Tensor | BaseException | None]:
    """A loss for each request, or the error that there was instead."""
    if not requests:
        return {}
    try:
        losses = passes.add(list(requests.values()))
    except FOREIGN_ERRORS as error:
        return dict.fromkeys(requests, error)
    return dict(zip(requests, losses, strict=True))
