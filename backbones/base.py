"""The contract every backbone keeps: waveforms in, frames out, the same alone or in any batch.

Shapes use the letters B (batch), S (audio samples), F (frames), L (layers), D (dims).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor, nn

from backbones.cards import BackboneCard, BackboneError, Weights


@dataclass(frozen=True)
class Frames:
    """Hidden vectors of a batch and how many of them are real.

    Shape:
        values: (B, F, D), anything beyond a row's length is padding
        lengths: (B,), int64, on the device of values
    """

    values: Tensor
    lengths: Tensor

    def mask(self) -> Tensor:
        """True where a frame is real.

        Shape:
            output: (B, F), bool

        >>> Frames(torch.zeros(2, 3, 1), torch.tensor([3, 1])).mask().tolist()
        [[True, True, True], [True, False, False]]
        """
        return valid_mask(self.lengths, self.values.shape[1])


@dataclass(frozen=True)
class BackboneOutput:
    """What `Backbone.forward` gives back, named as in Hugging Face models.

    Shape:
        last_hidden_state: (B, F, D)
        lengths: (B,), frames of each row that are real
        hidden_states: L + 1 tensors (B, F, D), the stem's first, or None unless asked for
    """

    last_hidden_state: Tensor
    lengths: Tensor
    hidden_states: tuple[Tensor, ...] | None = None


@dataclass(frozen=True)
class BackboneConfig:
    """The few numbers that users of Hugging Face models look up on `model.config`."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int = 0


class Backbone(nn.Module, ABC):
    """A pretrained network in three parts: stem, transformer layers, finish.

    A new backbone is wholly frozen and in eval mode; `finetune(n)` releases its top layers.
    Subclasses set `card`, `weights`, `config`, `layers` and `minimum_samples` and write
    `frame_lengths`, `stem`, `run` and, where something lies above the layers, `finish`.
    """

    card: BackboneCard
    weights: Weights
    config: BackboneConfig
    layers: nn.ModuleList
    minimum_samples: int
    finetune_layers: int = 0
    frozen_mode: Literal["eval", "train"] = "eval"

    @abstractmethod
    def frame_lengths(self, lengths: Tensor) -> Tensor:
        """How many frames utterances of `lengths` (B,) samples give, by exact arithmetic."""

    @abstractmethod
    def stem(self, waveforms: Tensor, lengths: Tensor) -> Frames:
        """Everything under the first transformer layer.

        Shape:
            waveforms: (B, S), float32, 16 kHz, not normalised: the stem does what its
                checkpoint expects, for each utterance on its own
            lengths: (B,), samples of each row that are real
        """

    @abstractmethod
    def run(self, frames: Frames, start: int, stop: int) -> Frames:
        """Take frames at depth `start` through `layers[start:stop]`."""

    def finish(self, frames: Frames) -> Frames:
        """What lies above the last layer: a final norm, the removal of extra tokens."""
        return frames

    def top_modules(self) -> tuple[nn.Module, ...]:
        """Trainable modules above the last layer, released together with any layer."""
        return ()

    def forward(
        self,
        input_values: Tensor,
        attention_mask: Tensor | None = None,
        output_hidden_states: bool = False,
    ) -> BackboneOutput:
        """Waveforms to the last hidden state, with the interface of Hugging Face models.

        No graph is built below the released layers (unless `frozen_mode` is "train").

        Shape:
            input_values: (B, S)
            attention_mask: (B, S), integer, bool or float, nonzero where a sample is real;
                every row's real samples come first
            last_hidden_state: (B, F, D)

        Raises:
            BackboneError: a row is shorter than `minimum_samples`, or its mask has holes.
        """
        lengths = lengths_from_mask(input_values, attention_mask)
        self.check_lengths(lengths)
        depths = range(len(self.layers)) if output_hidden_states else ()
        prefix_depth = len(self.layers) - self.finetune_layers
        with torch.set_grad_enabled(False):
            frames = self.stem(input_values, lengths)
        hidden = [frames]
        for start, stop in self._segments(prefix_depth, each_layer=bool(depths)):
            trains = stop > prefix_depth and torch.is_grad_enabled()
            with torch.set_grad_enabled(trains):
                frames = self.run(frames, start, stop)
            hidden.append(frames)
        with torch.set_grad_enabled(self.finetune_layers > 0 and torch.is_grad_enabled()):
            last = self.finish(frames)
        states = tuple(frame.values for frame in hidden) if output_hidden_states else None
        return BackboneOutput(last.values, last.lengths, states)

    def _segments(self, prefix_depth: int, each_layer: bool) -> Iterator[tuple[int, int]]:
        depth = len(self.layers)
        if each_layer:
            yield from ((index, index + 1) for index in range(depth))
            return
        if prefix_depth > 0:
            yield 0, prefix_depth
        if prefix_depth < depth:
            yield prefix_depth, depth

    def check_lengths(self, lengths: Tensor) -> None:
        """Refuse a batch with a row too short to give one frame."""
        shortest = int(lengths.min())
        if shortest < self.minimum_samples:
            raise BackboneError(
                f"{self.card.name} needs at least {self.minimum_samples} samples "
                f"({1000 * self.minimum_samples / self.card.sample_rate_hz:.1f} ms), "
                f"the batch holds an utterance of {shortest}"
            )

    def finetune(self, layers: int | Literal["all"]) -> Self:
        """Freeze everything, then release the top `layers` transformer layers.

        What lies above them (`top_modules`) is released with them; 0 releases nothing.
        """
        depth = len(self.layers)
        count = depth if layers == "all" else layers
        if not 0 <= count <= depth:
            raise BackboneError(
                f"finetune_layers {layers} is out of range: {self.card.name} has {depth} layers"
            )
        self.requires_grad_(False)
        for module in self._released(count):
            module.requires_grad_(True)
        self.finetune_layers = count
        return self.train(self.training)

    def _released(self, count: int) -> tuple[nn.Module, ...]:
        if count == 0:
            return ()
        return (*self.layers[len(self.layers) - count :], *self.top_modules())

    def train(self, mode: bool = True) -> Self:
        """Put the released parts in training mode; frozen parts stay in eval mode."""
        if self.frozen_mode == "train":
            return super().train(mode)
        super().train(False)
        self.training = mode
        for module in self._released(self.finetune_layers):
            module.train(mode)
        return self

    def freeze_feature_encoder(self) -> None:
        """Freeze the convolutions, as Hugging Face models do; here they always are."""
        for module in self.feature_encoder():
            module.requires_grad_(False)

    def feature_encoder(self) -> tuple[nn.Module, ...]:
        """The convolutional modules of the stem."""
        return ()

    def trainable_parameters(self) -> int:
        """How many numbers the optimiser may change."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)

    def total_parameters(self) -> int:
        """How many numbers the forward pass uses."""
        return sum(p.numel() for p in self.parameters())


def valid_mask(lengths: Tensor, width: int) -> Tensor:
    """True at positions below each row's length.

    Shape:
        lengths: (B,)
        output: (B, width), bool
    """
    return torch.arange(width, device=lengths.device)[None, :] < lengths[:, None]


def lengths_from_mask(input_values: Tensor, attention_mask: Tensor | None) -> Tensor:
    """Samples per row, from a Hugging Face attention mask of any number type.

    Shape:
        input_values: (B, S)
        attention_mask: (B, S) or None (every sample is real)
        output: (B,), int64

    >>> lengths_from_mask(torch.zeros(1, 4), torch.tensor([[1.0, 1.0, 1.0, 0.0]]))
    tensor([3])
    """
    batch, width = input_values.shape
    if attention_mask is None:
        return torch.full((batch,), width, device=input_values.device)
    if attention_mask.shape != input_values.shape:
        raise BackboneError(
            f"attention_mask has shape {tuple(attention_mask.shape)}, "
            f"input_values {tuple(input_values.shape)}: they must match"
        )
    real = attention_mask != 0
    lengths = real.sum(1)
    if not torch.equal(real, valid_mask(lengths, width)):
        raise BackboneError(
            "attention_mask must be ones followed by zeros in every row: "
            "real samples come first, padding after them"
        )
    return lengths
