"""wav2vec 2.0 and its relatives through transformers' own modules, with exact padding.

What differs between them is data, in `wav2vec2_variants`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from backbones.base import Backbone, BackboneConfig, Frames
from backbones.cards import BackboneCard, BackboneError
from backbones.families.wav2vec2.gated_attention import GatedAttention
from backbones.families.wav2vec2.wav2vec2_variants import VARIANTS
from backbones.hub.config_files import read_config
from backbones.nn.fast_dropout import draw_fast
from backbones.nn.fused_attention import teach_transformers
from backbones.nn.padding import (
    convolved,
    frames_after,
    group_norm,
    in_stretches,
    receptive_field,
    standardise,
    zero_padding,
)

WAVEFORM_EPSILON = 1e-7  # what transformers' feature extractor adds to an utterance's variance

OWN_NAMES = {
    "encoder.pos_conv_embed.": "pos_conv_embed.",
    "encoder.layer_norm.": "layer_norm.",
    "encoder.layers.": "layers.",
    "feature_extractor.": "feature_extractor.",
    "feature_projection.": "feature_projection.",
}
"""Where transformers' tensors live here; anything else in a checkpoint is not used."""

WEIGHT_NORM_NAMES = {
    "conv.weight_g": "conv.parametrizations.weight.original0",
    "conv.weight_v": "conv.parametrizations.weight.original1",
}
"""Names that torch gave a weight norm's two factors until 2.0, and gives them now."""

UNKNOWN_PARTS = ("add_adapter", "conv_pos_batch_norm")
"""Settings of parts that change the frames' rate or let padding through."""


class Wav2Vec2(Backbone):
    """Convolutions, a positional convolution, then transformer layers.

    Released layers train with their usual dropout; LayerDrop and SpecAugment are not applied.
    """

    def __init__(self, card: BackboneCard, net: Any, normalise: bool | None = None) -> None:
        super().__init__()
        config = net.config
        self.card = card
        self.variant = VARIANTS[card.family]
        self.config = BackboneConfig(
            config.hidden_size, config.num_hidden_layers, config.num_attention_heads
        )
        self.convolutions = list(zip(config.conv_kernel, config.conv_stride, strict=True))
        self.minimum_samples = receptive_field(self.convolutions)
        self.norm_first = not self.variant.stacked_positions and config.do_stable_layer_norm
        self.feature_extractor = net.feature_extractor
        self.feature_projection = net.feature_projection
        self.pos_conv_embed = net.encoder.pos_conv_embed
        self.layer_norm = net.encoder.layer_norm
        self.dropout = net.encoder.dropout
        self.layers = net.encoder.layers
        self.normalise = not self._first_norm_over_time() if normalise is None else normalise
        if self.variant.gated_bias:
            for layer in self.layers:
                layer.attention = GatedAttention(layer.attention)
        draw_fast(self)

    def frame_lengths(self, lengths: Tensor) -> Tensor:
        """One frame every 20 ms, once 25 ms of audio are there."""
        return frames_after(lengths, self.convolutions)

    def embed(self, waveforms: Tensor, lengths: Tensor) -> Frames:
        """Convolutional features, projected, with positions added."""
        if self.normalise:
            waveforms = standardise(waveforms, lengths, WAVEFORM_EPSILON)
        frames = self.frame_lengths(lengths)
        features = convolved(self._convolve, waveforms, lengths)
        projected = self.feature_projection(features)
        hidden = projected if self.variant.projects_alone else projected[0]
        hidden = hidden + self._positions(hidden, frames)
        if not self.norm_first:
            hidden = self.layer_norm(hidden)
        return Frames(self.dropout(hidden), frames)

    def _convolve(self, waveforms: Tensor, lengths: Tensor) -> Tensor:
        first, *rest = self.feature_extractor.conv_layers
        if not self._first_norm_over_time():
            return in_stretches(self._convolve_locally, waveforms, self.convolutions)
        own = frames_after(lengths, self.convolutions[:1])
        normed = group_norm(first.layer_norm, first.conv(waveforms[:, None]), own)
        hidden: Tensor = first.activation(normed)
        for layer in rest:
            hidden = layer(hidden)
        return hidden

    def _convolve_locally(self, waveforms: Tensor) -> Tensor:
        hidden: Tensor = waveforms[:, None]
        for layer in self.feature_extractor.conv_layers:
            hidden = layer(hidden)
        return hidden

    def _first_norm_over_time(self) -> bool:
        return isinstance(self.feature_extractor.conv_layers[0].layer_norm, nn.GroupNorm)

    def _positions(self, hidden: Tensor, frames: Tensor) -> Tensor:
        """Convolutions that reach across the end of a row, where each must find zeros."""
        if not self.variant.stacked_positions:
            positions: Tensor = self.pos_conv_embed(zero_padding(hidden, frames))
            return positions
        for layer in self.pos_conv_embed.layers:
            hidden = layer(zero_padding(hidden, frames).transpose(1, 2)).transpose(1, 2)
        return hidden

    def run(self, frames: Frames, start: int, stop: int) -> Frames:
        """Transformer layers; WavLM's position bias lies in layer 0 and is gated by each."""
        hidden, mask = frames.values, _mask(frames)
        if not self.variant.gated_bias:
            for layer in self.layers[start:stop]:
                hidden = layer(hidden, attention_mask=mask)
            return Frames(hidden, frames.lengths)
        lowest: Any = self.layers[0]
        bias = lowest.attention.position_bias(hidden.shape[1])
        for layer in self.layers[start:stop]:
            hidden, _ = layer(hidden, attention_mask=mask, position_bias=bias)
        return Frames(hidden, frames.lengths)

    def finish(self, frames: Frames) -> Frames:
        """The final norm of networks whose layers normalise first."""
        if not self.norm_first:
            return frames
        return Frames(self.layer_norm(frames.values), frames.lengths)

    def top_modules(self) -> tuple[nn.Module, ...]:
        """The final norm, where it lies above the layers."""
        return (self.layer_norm,) if self.norm_first else ()

    def feature_encoder(self) -> tuple[nn.Module, ...]:
        """The seven convolutions over the waveform."""
        return (self.feature_extractor,)

    def own_name(self, checkpoint_name: str) -> str | None:
        """The name here of transformers' tensor, with or without its family before it."""
        name = checkpoint_name.removeprefix(f"{self.variant.prefix}.")
        for old, new in WEIGHT_NORM_NAMES.items():
            name = name.replace(old, new)
        for theirs, ours in OWN_NAMES.items():
            if name.startswith(theirs):
                return ours + name.removeprefix(theirs)
        return None


def _mask(frames: Frames) -> Tensor | None:
    """Which keys attention may look at: (B, 1, 1, F), or None where no row has padding."""
    mask = frames.mask()
    return None if bool(mask.all()) else mask[:, None, None, :]


def read_settings(folder: Path) -> dict[str, object]:
    """The architecture beside a checkpoint, and whether it expects normalised waveforms."""
    settings: dict[str, object] = read_config(folder / "config.json")
    preprocessor = folder / "preprocessor_config.json"
    if preprocessor.is_file():
        settings["do_normalize"] = read_config(preprocessor).get("do_normalize", True)
    return settings


def build(card: BackboneCard, settings: Mapping[str, object]) -> Wav2Vec2:
    """The network of `settings`, with the weights its constructor gives it.

    Where `do_normalize` is not stated, networks with a LayerNorm after each convolution
    (the large ones) are taken to expect normalised waveforms, and the others raw ones.

    Raises:
        BackboneError: the settings ask for parts that the contract does not cover.
    """
    import transformers

    for part in UNKNOWN_PARTS:
        if settings.get(part):
            raise BackboneError(f"{card.name}: networks with {part} cannot be used here")
    variant = VARIANTS[card.family]
    stated = {key: value for key, value in settings.items() if key != "do_normalize"}
    fast = {} if variant.gated_bias else {"attn_implementation": teach_transformers()}
    config = getattr(transformers, f"{variant.classes}Config").from_dict(stated, **fast)
    net = getattr(transformers, f"{variant.classes}Model")(config)
    normalise = settings.get("do_normalize")
    return Wav2Vec2(card, net, None if normalise is None else bool(normalise))
