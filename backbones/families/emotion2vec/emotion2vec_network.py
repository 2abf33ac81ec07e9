"""emotion2vec through FunASR's own modules, with exact padding.

Source: Ma et al., emotion2vec: Self-Supervised Pre-Training for Speech Emotion
Representation, 2023. The decoder and the emotion classifier of a checkpoint are not used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from backbones.base import Backbone, BackboneConfig, Encoder, Frames
from backbones.cards import BackboneCard, BackboneError
from backbones.families.emotion2vec.alibi import alibi, alibi_slopes
from backbones.families.emotion2vec.alibi_attention import AlibiAttention, key_bias
from backbones.families.emotion2vec.funasr_import import emotion2vec_class, process_state_kept
from backbones.hub.config_files import read_config
from backbones.nn.fast_dropout import draw_fast
from backbones.nn.padding import (
    convolved,
    frames_after,
    in_stretches,
    receptive_field,
    standardise,
    zero_padding,
)

WAVEFORM_EPSILON = 1e-5  # of the layer_norm that its authors put over each waveform
AUDIO = "modality_encoders.AUDIO"
PRENET_AT = f"{AUDIO}.context_encoder.blocks"
MAIN_AT = "blocks"

ASSUMED: dict[str, object] = {
    "layer_norm_first": False,
    "modalities.audio.extractor_mode": "layer_norm",
    "modalities.audio.conv_pos_pre_ln": False,
    "modalities.audio.use_alibi_encoder": True,
    "modalities.audio.learned_alibi": False,
    "modalities.audio.learned_alibi_scale_per_layer": False,
}
"""What the code below builds on; a config that says otherwise is refused, not approximated."""


class Emotion2Vec(Backbone):
    """Convolutions, positional convolutions, extra tokens, then blocks with ALiBi.

    `layers` holds every block that an utterance crosses, the prenet's first; `encoder.layers`
    shows the main ones, as FunASR's `blocks` does. Released blocks train with their usual
    dropout; LayerDrop and masking are not applied.
    """

    def __init__(self, card: BackboneCard, net: Any) -> None:
        super().__init__()
        prenet, main = _find(net, PRENET_AT), _find(net, MAIN_AT)
        audio = _find(net, AUDIO)
        self.card = card
        self.prenet_depth = len(prenet)
        self.layers = nn.ModuleList([*prenet, *main])
        heads: int = main[0].attn.num_heads
        for block in self.layers:
            block.attn = AlibiAttention(block.attn)
        self.config = BackboneConfig(net.cfg.embed_dim, len(self.layers), heads)
        self.normalise = bool(net.cfg.normalize)
        self.local_encoder = audio.local_encoder
        self.project_features = audio.project_features
        self.positions = nn.ModuleList(list(audio.relative_positional_encoder)[1:-1])
        self.extra_tokens: nn.Parameter = audio.extra_tokens
        self.num_extra_tokens = self.extra_tokens.shape[1]
        self.alibi_scale: nn.Parameter = audio.alibi_scale
        self.context_norm: nn.LayerNorm = audio.context_encoder.norm
        self.context_dropout = audio.context_encoder.dropout
        self.convolutions = [
            (layer[0].kernel_size[0], layer[0].stride[0])
            for layer in self.local_encoder.conv_layers
        ]
        self.minimum_samples = receptive_field(self.convolutions)
        draw_fast(self)

    @property
    def encoder(self) -> Encoder:
        """`encoder.layers` lists the main blocks, without the prenet's."""
        return Encoder(self.layers[self.prenet_depth :])

    def frame_lengths(self, lengths: Tensor) -> Tensor:
        """One frame every 20 ms, once 25 ms of audio are there."""
        return frames_after(lengths, self.convolutions)

    def embed(self, waveforms: Tensor, lengths: Tensor) -> Frames:
        """Convolutional features with positions, the extra tokens put before them."""
        if self.normalise:
            waveforms = standardise(waveforms, lengths, WAVEFORM_EPSILON)
        frames = self.frame_lengths(lengths)
        convolutions = convolved(self._convolve, waveforms, lengths)
        features = self.project_features(convolutions.transpose(1, 2))
        hidden = features + self._place(features, frames)
        tokens = self.extra_tokens.expand(len(hidden), -1, -1)
        hidden = self.context_norm(torch.cat([tokens, hidden], dim=1))
        return Frames(self.context_dropout(hidden), frames + self.num_extra_tokens)

    def _convolve(self, waveforms: Tensor, lengths: Tensor) -> Tensor:
        return in_stretches(self.local_encoder, waveforms, self.convolutions)

    def _place(self, features: Tensor, frames: Tensor) -> Tensor:
        """Positions by convolution; each reaches across the end of an utterance."""
        hidden = features
        for convolution in self.positions:
            hidden = zero_padding(hidden, frames)
            hidden = convolution(hidden.transpose(1, 2)).transpose(1, 2)
        return hidden

    def run(self, frames: Frames, start: int, stop: int) -> Frames:
        """Blocks in which every frame looks at the real frames of its row, near ones more."""
        hidden = frames.values
        bias = key_bias(self._bias(hidden), frames)
        for index in range(start, stop):
            hidden, _ = self.layers[index](hidden, alibi_bias=bias)
        return Frames(hidden, frames.lengths)

    def _bias(self, hidden: Tensor) -> Tensor:
        """The attention bias (1, H, F, F) that all rows share; 0 at extra tokens."""
        extra, heads = self.num_extra_tokens, self.config.num_attention_heads
        slopes = torch.tensor(alibi_slopes(heads), device=hidden.device)
        scaled = slopes * self.alibi_scale.clamp(min=0).flatten()
        return alibi(hidden.shape[1] - extra, scaled, extra)

    def speech(self, frames: Frames) -> Frames:
        """The frames without the extra tokens before them."""
        extra = self.num_extra_tokens
        return Frames(frames.values[:, extra:], frames.lengths - extra)

    def feature_encoder(self) -> tuple[nn.Module, ...]:
        """The seven convolutions over the waveform."""
        return (self.local_encoder,)

    def own_name(self, checkpoint_name: str) -> str | None:
        """The name here of a tensor of FunASR's network, with or without "d2v_model."."""
        name = checkpoint_name.removeprefix("d2v_model.")
        if main := re.match(r"blocks\.(\d+)\.", name):
            return f"layers.{self.prenet_depth + int(main[1])}.{name[main.end() :]}"
        if not name.startswith(f"{AUDIO}.") or name.startswith(f"{AUDIO}.decoder."):
            return None
        name = name.removeprefix(f"{AUDIO}.").replace("context_encoder.norm.", "context_norm.")
        name = name.replace("context_encoder.blocks.", "layers.")
        if position := re.match(r"relative_positional_encoder\.(\d+)\.", name):
            return f"positions.{int(position[1]) - 1}.{name[position.end() :]}"
        return name


def read_settings(folder: Path) -> dict[str, object]:
    """FunASR's `model_conf` beside a checkpoint.

    Raises:
        BackboneError: config.yaml has no `model_conf`.
    """
    path = folder / "config.yaml"
    settings = read_config(path).get("model_conf")
    if not isinstance(settings, dict):
        raise BackboneError(f"{path} has no model_conf: it does not describe an emotion2vec")
    return settings


def build(card: BackboneCard, settings: Mapping[str, object]) -> Emotion2Vec:
    """The network of a `model_conf`, with the weights its constructor gives it.

    Raises:
        BackboneError: FunASR is missing or differs, or `ASSUMED` does not hold.
    """
    _check(card, settings)
    with process_state_kept():
        return Emotion2Vec(card, emotion2vec_class()(model_conf=_without_decoder(settings)))


def _check(card: BackboneCard, settings: Mapping[str, object]) -> None:
    for path, expected in ASSUMED.items():
        found = _stated(settings, path) or False
        if found != expected:
            raise BackboneError(
                f"{card.name}: model_conf.{path} is {found!r}, and only {expected!r} is known here"
            )
    spec = str(_stated(settings, "modalities.audio.feature_encoder_spec"))
    if not re.fullmatch(r"[\d ()\[\],+*]+", spec) or "**" in spec:  # FunASR evaluates it
        raise BackboneError(f"{card.name}: feature_encoder_spec is not a list of numbers: {spec}")


def _stated(settings: Any, path: str) -> Any:
    for key in path.split("."):
        settings = settings.get(key) if isinstance(settings, Mapping) else None
    return settings


def _without_decoder(settings: Mapping[str, Any]) -> dict[str, Any]:
    audio = {**settings["modalities"]["audio"], "decoder": None}
    return {**settings, "modalities": {"audio": audio}}


def _find(net: Any, path: str) -> Any:
    """Follow a dotted path of attributes and keys into FunASR's network."""
    try:
        return reduce(_step, path.split("."), net)
    except (AttributeError, KeyError) as error:
        raise BackboneError(
            f"FunASR's Emotion2vec is not built as expected: looked for "
            f'modality_encoders["AUDIO"].context_encoder.blocks and .blocks, and found no '
            f"{path}. Install the FunASR this was tested with: pip install funasr==1.4.16"
        ) from error


def _step(parent: Any, name: str) -> Any:
    return parent[name] if isinstance(parent, nn.ModuleDict) else getattr(parent, name)
