"""The contract every backbone keeps: waveforms in, frames out, the same alone or in any batch.

Shapes use the letters B (batch), S (audio samples), F (frames), L (layers), D (dims).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor, nn

from backbones.cards import BackboneCard, BackboneError, Weights, released_layers
from backbones.nn.padding import lengths_from_mask, valid_mask, zero_padding


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
        hidden_states: L + 1 tensors (B, F, D), the stem's first and last_hidden_state last,
            or None unless asked for
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


@dataclass(frozen=True)
class Encoder:
    """The view behind `backbone.encoder.layers`; it owns nothing."""

    layers: nn.ModuleList


class Backbone(nn.Module, ABC):
    """A pretrained network in three parts: stem, transformer layers, finish.

    `backbones.load` gives it wholly frozen and in eval mode; `finetune(n)` releases its top
    layers. Subclasses set `card`, `config`, `layers` and `minimum_samples` and write
    `frame_lengths`, `embed`, `run` and, where something lies above the layers, `finish`.
    """

    card: BackboneCard
    weights: Weights
    config: BackboneConfig
    layers: nn.ModuleList
    minimum_samples: int
    num_extra_tokens: int = 0
    """Frames that stand for no audio, which `run` sees before the others; `speech` removes them."""
    finetune_layers: int = 0
    frozen_mode: Literal["eval", "train"] = "eval"
    """"train" keeps the usual dropout in frozen parts too; set it before `train()`."""

    @abstractmethod
    def frame_lengths(self, lengths: Tensor) -> Tensor:
        """How many frames utterances of `lengths` (B,) samples give, by exact arithmetic."""

    def stem(self, waveforms: Tensor, lengths: Tensor) -> Frames:
        """Everything under the first transformer layer.

        Shape:
            waveforms: (B, S), float32, 16 kHz, not normalised: the stem does what its
                checkpoint expects, for each utterance on its own
            lengths: (B,), samples of each row that are real

        Raises:
            BackboneError: a row is too short to give a frame.
        """
        self._check_lengths(lengths)
        return self.embed(zero_padding(waveforms, lengths), lengths)

    @abstractmethod
    def embed(self, waveforms: Tensor, lengths: Tensor) -> Frames:
        """The stem's own work, on checked lengths and with zeros as padding."""

    @abstractmethod
    def run(self, frames: Frames, start: int, stop: int) -> Frames:
        """Take frames at depth `start` through `layers[start:stop]`."""

    def speech(self, frames: Frames) -> Frames:
        """Only the frames that stand for audio, without extra tokens; at any depth."""
        return frames

    def finish(self, frames: Frames) -> Frames:
        """What lies above the last layer: a final norm, the removal of extra tokens."""
        return self.speech(frames)

    def top_modules(self) -> tuple[nn.Module, ...]:
        """Trainable modules above the last layer, released together with any layer."""
        return ()

    def feature_encoder(self) -> tuple[nn.Module, ...]:
        """The convolutional modules of the stem."""
        return ()

    def own_name(self, checkpoint_name: str) -> str | None:
        """The name here of a tensor in a published checkpoint; None if it is not used."""
        return checkpoint_name

    @property
    def encoder(self) -> Encoder:
        """The Hugging Face face: `encoder.layers` lists the transformer layers."""
        return Encoder(self.layers)

    def forward(
        self,
        input_values: Tensor,
        attention_mask: Tensor | None = None,
        output_hidden_states: bool = False,
    ) -> BackboneOutput:
        """Waveforms to the last hidden state, with the interface of Hugging Face models.

        No graph is built below the released layers.

        Shape:
            input_values: (B, S)
            attention_mask: (B, S), integer, bool or float, nonzero where a sample is real;
                every row's real samples come first
            last_hidden_state: (B, F, D)

        Raises:
            BackboneError: a row is too short, or its mask has holes.
        """
        lengths = lengths_from_mask(input_values, attention_mask)
        prefix_depth = len(self.layers) - self.finetune_layers
        with torch.no_grad():
            frames = self.stem(input_values, lengths)
        states = []
        for start, stop in self._segments(prefix_depth, each_layer=output_hidden_states):
            states.append(self.speech(frames).values)
            with torch.set_grad_enabled(start >= prefix_depth and torch.is_grad_enabled()):
                frames = self.run(frames, start, stop)
        with torch.set_grad_enabled(self.finetune_layers > 0 and torch.is_grad_enabled()):
            last = self.finish(frames)
        hidden_states = (*states, last.values) if output_hidden_states else None
        return BackboneOutput(last.values, last.lengths, hidden_states)

    @torch.no_grad()
    def states(
        self, waveforms: Tensor, lengths: Tensor, depths: Iterable[int]
    ) -> dict[int, Frames]:
        """Frames at some depths in one pass, without a graph.

        Depth d lies under `layers[d]`, so 0 is the stem's output; depth L is finished.

        Shape:
            waveforms: (B, S)
            lengths: (B,), samples

        Raises:
            BackboneError: a row is too short to give a frame.
        """
        frames, reached = self.stem(waveforms, lengths), 0
        found = {}
        for depth in sorted(set(depths)):
            frames, reached = self.run(frames, reached, depth), depth
            found[depth] = self.finish(frames) if depth == len(self.layers) else frames
        return found

    def _segments(self, prefix_depth: int, each_layer: bool) -> Iterator[tuple[int, int]]:
        depth = len(self.layers)
        if each_layer:
            yield from ((index, index + 1) for index in range(depth))
            return
        if prefix_depth > 0:
            yield 0, prefix_depth
        if prefix_depth < depth:
            yield prefix_depth, depth

    def _check_lengths(self, lengths: Tensor) -> None:
        shortest, needed = int(lengths.min()), self.minimum_samples
        if shortest < needed:
            raise BackboneError(
                f"{self.card.name} needs at least {needed} samples "
                f"({needed / self.card.sample_rate_hz:.4g} s), "
                f"the batch holds an utterance of {shortest}"
            )

    def finetune(self, layers: int | Literal["all"]) -> Self:
        """Freeze everything, then release the top `layers` transformer layers.

        What lies above them (`top_modules`) is released with them; 0 releases nothing.

        Raises:
            BackboneError: there are not that many layers.
        """
        count = released_layers(layers, len(self.layers), self.card.name)
        self.requires_grad_(False)
        self.finetune_layers = count
        for module in self._released():
            module.requires_grad_(True)
        return self.train(self.training)

    def _released(self) -> tuple[nn.Module, ...]:
        if self.finetune_layers == 0:
            return ()
        return (*self.layers[-self.finetune_layers :], *self.top_modules())

    def train(self, mode: bool = True) -> Self:
        """Put the released parts in training mode; frozen parts stay in eval mode."""
        if self.frozen_mode == "train":
            return super().train(mode)
        super().train(False)
        self.training = mode
        for module in self._released():
            module.train(mode)
        return self

    def freeze_feature_encoder(self) -> None:
        """Freeze the convolutions, as Hugging Face models do; here they always are."""
        for module in self.feature_encoder():
            module.requires_grad_(False)

    def trainable_parameters(self) -> int:
        """How many numbers the optimiser may change."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)

    def total_parameters(self) -> int:
        """How many numbers the forward pass uses."""
        return sum(p.numel() for p in self.parameters())
