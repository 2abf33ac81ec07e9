"""Gradients of batches; those of several models on frozen backbones in one pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
from accelerate import Accelerator
from torch import Tensor

from backbones.base import Frames
from harness.model.ser_model import SERModel
from harness.training.head_stack import HeadStack, Network, outputs_of


@dataclass(frozen=True)
class GradientRequest:
    """A batch whose loss, and the loss's gradient in the trained parameters, is wanted."""

    network: Network
    states: tuple[Frames, ...]
    loss: Callable[[Tensor], Tensor]
    """From a model's outputs (B, W) to a scalar."""


@dataclass
class GradientPasses:
    """Computes the gradients that are requested, several requests in one pass."""

    accelerator: Accelerator
    _stack: HeadStack | None = field(default=None, init=False)
    """Of the requests before, which are mostly of the same models."""

    def add(self, requests: Sequence[GradientRequest]) -> list[Tensor]:
        """Add the gradients of all losses to the parameters they depend on; the losses.

        More than one request needs single models, with frozen backbones and heads of one shape.

        Shape:
            output: (K,) for each request, with K models
        """
        if len(requests) == 1:
            return [self._losses(requests[0].network, requests)]
        models = [cast("SERModel", each.network) for each in requests]
        if self._stack is None or self._stack.models != tuple(models):
            self._stack = HeadStack(models)
        return list(self._losses(self._stack, requests)[:, None])

    def _losses(self, network: Network, requests: Sequence[GradientRequest]) -> Tensor:
        if isinstance(network, HeadStack):
            network.clear_gradients()
        with self.accelerator.autocast():
            if isinstance(network, HeadStack) and len(requests) > 1:
                outputs = network.outputs([each.states for each in requests])
                pairs = zip(requests, outputs, strict=True)
                losses = torch.stack([each.loss(own) for each, own in pairs])
            else:
                (request,) = requests
                found = outputs_of(network, request.states)
                losses = torch.stack([request.loss(own) for own in found])
        self.accelerator.backward(losses.sum())
        if isinstance(network, HeadStack):
            network.pass_gradients_on()
        return losses.detach()
