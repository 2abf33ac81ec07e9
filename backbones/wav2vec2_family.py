"""WavLM through transformers' own modules, with exact padding.

Source: Chen et al., WavLM: Large-Scale Self-Supervised Pre-Training for Full Stack Speech
Processing, 2022. Its relatives (HuBERT, wav2vec 2.0) share everything here but the bias.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from backbones.base import Backbone, BackboneConfig, Frames
from backbones.cards import BackboneCard
from backbones.padding import frames_after, group_norm, receptive_field, standardise, zero_padding
from backbones.weights import read_config

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


class Wav2Vec2Family(Backbone):
    """Convolutions, a positional convolution, then transformer layers.

    Released layers train with their usual dropout; LayerDrop and SpecAugment are not applied.
    """

    def __init__(self, card: BackboneCard, net: Any, normalise: bool) -> None:
        super().__init__()
        config = net.config
        self.card = card
        self.config = BackboneConfig(
            config.hidden_size, config.num_hidden_layers, config.num_attention_heads
        )
        self.convolutions = list(zip(config.conv_kernel, config.conv_stride, strict=True))
        self.minimum_samples = receptive_field(self.convolutions)
        self.normalise = normalise
        self.norm_first: bool = config.do_stable_layer_norm
        self.feature_extractor = net.feature_extractor
        self.feature_projection = net.feature_projection
        self.pos_conv_embed = net.encoder.pos_conv_embed
        self.layer_norm = net.encoder.layer_norm
        self.dropout = net.encoder.dropout
        self.layers = net.encoder.layers

    def frame_lengths(self, lengths: Tensor) -> Tensor:
        """One frame every 20 ms, once 25 ms of audio are there."""
        return frames_after(lengths, self.convolutions)

    def embed(self, waveforms: Tensor, lengths: Tensor) -> Frames:
        """Convolutional features, projected, with positions added."""
        if self.normalise:
            waveforms = standardise(waveforms, lengths, WAVEFORM_EPSILON)
        frames = self.frame_lengths(lengths)
        features = self._convolve(waveforms, lengths).transpose(1, 2)
        hidden, _ = self.feature_projection(features)
        hidden = zero_padding(hidden, frames)  # the next convolution reaches across the end
        hidden = hidden + self.pos_conv_embed(hidden)
        if not self.norm_first:
            hidden = self.layer_norm(hidden)
        return Frames(self.dropout(hidden), frames)

    def _convolve(self, waveforms: Tensor, lengths: Tensor) -> Tensor:
        first, *rest = self.feature_extractor.conv_layers
        hidden: Tensor = waveforms[:, None]
        norm = getattr(first, "layer_norm", None)
        if isinstance(norm, nn.GroupNorm):  # its statistics run over time
            own = frames_after(lengths, self.convolutions[:1])
            hidden = first.activation(group_norm(norm, first.conv(hidden), own))
        else:
            hidden = first(hidden)
        for layer in rest:
            hidden = layer(hidden)
        return hidden

    def run(self, frames: Frames, start: int, stop: int) -> Frames:
        """Transformer layers; the position bias of layer 0 serves them all, gated by each."""
        hidden = frames.values
        batch, width, _ = hidden.shape
        mask = frames.mask()
        attention: Any = self.layers[0].attention
        bias = attention.compute_bias(width, width).repeat(batch, 1, 1)
        with _mixed_masks():
            for index in range(start, stop):
                hidden, _ = self.layers[index](hidden, attention_mask=mask, position_bias=bias)
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
        """The name here of transformers' tensor, with or without a leading "wavlm."."""
        name = checkpoint_name.removeprefix(f"{self.card.family}.")
        for old, new in WEIGHT_NORM_NAMES.items():
            name = name.replace(old, new)
        for theirs, ours in OWN_NAMES.items():
            if name.startswith(theirs):
                return ours + name.removeprefix(theirs)
        return None


@contextmanager
def _mixed_masks() -> Iterator[None]:
    """Silence torch on transformers' use of a bool mask for keys beside a float bias."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask", UserWarning)
        yield


def read_settings(folder: Path) -> dict[str, object]:
    """The architecture beside a checkpoint, and whether it expects normalised waveforms."""
    settings: dict[str, object] = read_config(folder / "config.json")
    preprocessor = folder / "preprocessor_config.json"
    if preprocessor.is_file():
        settings["do_normalize"] = read_config(preprocessor).get("do_normalize", True)
    return settings


def build(card: BackboneCard, settings: Mapping[str, object]) -> Wav2Vec2Family:
    """The network of `settings`, with the weights its constructor gives it.

    Where `do_normalize` is not stated, networks with a LayerNorm after each convolution
    (the large ones) are taken to expect normalised waveforms, and the others raw ones.
    """
    from transformers import WavLMConfig, WavLMModel

    config = WavLMConfig.from_dict({k: v for k, v in settings.items() if k != "do_normalize"})
    normalise = settings.get("do_normalize", config.feat_extract_norm == "layer")
    return Wav2Vec2Family(card, WavLMModel(config), bool(normalise))
