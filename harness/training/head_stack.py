"""Heads of one shape that go through one pass together.

A step on a frozen backbone is many small pieces of work, most of whose time goes into starting
each; the heads of several fits share them: their tensors lie in one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.func import functional_call, vmap
from torch.nn.functional import pad

from backbones.base import Frames
from harness.model.ser_model import SERModel
from harness.training.stacked_layers import apply_stacked


class HeadStack:
    """The heads of several models on frozen backbones, whose parameters become parts of its own.

    Whoever changes a model's parameters changes the stack, so nothing is copied between steps.
    A model that enters another stack leaves this one.
    """

    def __init__(self, models: Sequence[SERModel]) -> None:
        self.models = tuple(models)
        self._heads = [model.head for model in models]
        self._own = [dict(head.named_parameters()) for head in self._heads]
        with torch.no_grad():
            self._stacked = {
                name: torch.stack([own[name] for own in self._own]).requires_grad_()
                for name in self._own[0]
            }
            for place, own in enumerate(self._own):
                for name, parameter in own.items():
                    parameter.data = self._stacked[name].data[place]
        scales = [dict(head.frame_pooling.named_buffers()) for head in self._heads]
        stacked = {name: torch.stack([own[name] for own in scales]) for name in scales[0]}
        prefix = "frame_pooling."
        learned = {
            name.removeprefix(prefix): tensor
            for name, tensor in self._stacked.items()
            if name.startswith(prefix)
        }
        self._pooling = stacked | learned
        # where pooling learns nothing and scales are the same, all make the same of a batch
        self._pool_alike = not learned and all(map(_same_for_all, stacked.values()))

    @property
    def training(self) -> bool:
        """Whether the heads are in train mode."""
        return self._heads[0].classifier.training

    def train(self, mode: bool = True) -> None:
        """Put the heads, and the backbone under them, in train or eval mode."""
        self.models[0].train(mode)
        for head in self._heads[1:]:
            head.train(mode)

    def outputs(self, states: Sequence[Sequence[Frames]]) -> list[Tensor]:
        """The outputs of each model on its own batch, or on one batch that all have in common.

        Shape:
            output: (B, W) for each model, with its own B
        """
        rows = [len(own[-1].lengths) for own in states]
        outputs = self._classified(self._vectors(states), rows).float()
        return [own[:count] for own, count in zip(outputs, rows, strict=True)]

    def clear_gradients(self) -> None:
        """Forget those that were cleared in the models, as optimisers do after a step."""
        if all(parameter.grad is None for parameter in self._own[0].values()):
            for tensor in self._stacked.values():
                tensor.grad = None

    def pass_gradients_on(self) -> None:
        """Give every model its part of the gradients."""
        for name, tensor in self._stacked.items():
            if tensor.grad is not None:
                for own, part in zip(self._own, tensor.grad.unbind(), strict=True):
                    own[name].grad = part

    def _vectors(self, states: Sequence[Sequence[Frames]]) -> Tensor:
        """What the classifiers take, (K, B, P), or (B, P) if it is the same for all."""
        first = self._heads[0].frame_pooling
        in_common = all(own is states[0] for own in states)
        if in_common:
            values, mask = [state.values for state in states[0]], states[0][-1].mask()
        else:
            batches = [_padded(alike) for alike in zip(*states, strict=True)]
            values, mask = [batch for batch, _ in batches], batches[-1][1]
        if in_common and self._pool_alike:
            vectors: Tensor = first(values, mask)
            return vectors

        def one(tensors: dict[str, Tensor], values: list[Tensor], mask: Tensor) -> Tensor:
            vectors: Tensor = functional_call(first, tensors, (values, mask))
            return vectors

        where = None if in_common else 0
        found: Tensor = vmap(one, in_dims=(0, where, where))(self._pooling, values, mask)
        return found

    def _classified(self, vectors: Tensor, rows: Sequence[int]) -> Tensor:
        """The classifiers' outputs, (K, B, W)."""
        for place, layers in enumerate(
            zip(*(head.classifier for head in self._heads), strict=True)
        ):
            tensors = {
                name: self._stacked[f"classifier.{place}.{name}"]
                for name, _ in layers[0].named_parameters()
            }
            vectors = apply_stacked(layers, tensors, vectors, rows)
        return vectors


Network = SERModel | HeadStack
"""What is trained: one model, or the heads of several."""


def outputs_of(network: Network, states: Sequence[Frames]) -> list[Tensor]:
    """The outputs of each model on one batch.

    Shape:
        output: (B, W) for each model
    """
    if isinstance(network, HeadStack):
        return network.outputs([states] * len(network.models))
    return [network.suffix(states)]


def _same_for_all(stacked: Tensor) -> bool:
    return bool((stacked == stacked[:1]).all())


def _padded(batches: Sequence[Frames]) -> tuple[Tensor, Tensor]:
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
