"""Whisper's encoder through transformers' own modules, in windows of 30 seconds.

An utterance is heard as long as it is, or, where its card says `pads_to_s`, in the published way.

Source: Radford et al., Robust Speech Recognition via Large-Scale Weak Supervision, 2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, pad

from backbones.base import Backbone, BackboneConfig, Frames
from backbones.cards import BackboneCard
from backbones.families.whisper.windows import repack, window_lengths
from backbones.hub.config_files import read_config
from backbones.nn.fused_attention import teach_transformers
from backbones.nn.mel import HOP, SHORTEST, log10_mel, mel_frames
from backbones.nn.padding import valid_mask, zero_padding

DYNAMIC_RANGE = 8.0  # decades (80 dB) kept under an utterance's loudest moment


class Whisper(Backbone):
    """Log-mel frames, two convolutions, sinusoidal positions, then transformer layers.

    An utterance of more than 30 s, which is as far as the table of positions reaches, is cut into
    consecutive windows of 30 s and a last one of what is left. Each has its own spectrogram,
    positions from the first on, and attention inside it; their frames are joined.

    The last window may be shorter than `minimum_samples`: 10 ms give it a mel frame, whose
    samples are mirrored at both ends, and less than that gives none and is not heard.
    """

    minimum_samples = SHORTEST

    def __init__(self, card: BackboneCard, net: Any) -> None:
        super().__init__()
        config = net.config
        self.card = card
        self.config = BackboneConfig(
            config.d_model, config.encoder_layers, config.encoder_attention_heads
        )
        self.mel_bins: int = config.num_mel_bins
        self.window: int = config.max_source_positions  # frames: 1,500 for 30 s
        self.conv1: nn.Conv1d = net.conv1
        self.conv2: nn.Conv1d = net.conv2
        self.embed_positions: nn.Embedding = net.embed_positions
        self.layers = net.layers
        self.layer_norm: nn.LayerNorm = net.layer_norm

    def frame_lengths(self, lengths: Tensor) -> Tensor:
        """One frame every 20 ms: the second convolution takes every other mel frame."""
        return (mel_frames(self._heard(lengths)) + 1) // 2

    def embed(self, waveforms: Tensor, lengths: Tensor) -> Frames:
        """Two convolutions over each window's spectrogram, with the positions of the table."""
        heard = self._heard(lengths)
        pieces = window_lengths(heard, 2 * HOP * self.window)
        waveforms = pad(waveforms, (0, int(heard.max()) - waveforms.shape[1]))
        windows = self._convolve(repack(waveforms, heard, pieces), pieces)
        frames = self.frame_lengths(lengths)
        return Frames(repack(windows, (mel_frames(pieces) + 1) // 2, frames), frames)

    def _heard(self, lengths: Tensor) -> Tensor:
        """Samples that reach the network: those of utterances, or zeros after them too."""
        if self.card.pads_to_s is None:
            return lengths
        whole = round(self.card.pads_to_s * self.card.sample_rate_hz)
        return -(-lengths // whole) * whole

    def _convolve(self, waveforms: Tensor, lengths: Tensor) -> Tensor:
        mels = mel_frames(lengths)
        hidden = spectrogram(waveforms, lengths, self.mel_bins).transpose(1, 2)
        for convolution in (self.conv1, self.conv2):
            inputs = zero_padding(hidden, mels)  # zeros, as beyond the end of an utterance alone
            hidden = gelu(convolution(inputs.transpose(1, 2))).transpose(1, 2)
        return hidden + self.embed_positions.weight[: hidden.shape[1]]

    def run(self, frames: Frames, start: int, stop: int) -> Frames:
        """Transformer layers in which every frame looks at the real frames of its window."""
        pieces = window_lengths(frames.lengths, self.window)
        windows = Frames(repack(frames.values, frames.lengths, pieces), pieces)
        hidden, mask = windows.values, windows.mask()[:, None, None, :]
        for index in range(start, stop):
            hidden = self.layers[index](hidden, mask)
        return Frames(repack(hidden, pieces, frames.lengths), frames.lengths)

    def finish(self, frames: Frames) -> Frames:
        """The final norm."""
        return Frames(self.layer_norm(frames.values), frames.lengths)

    def top_modules(self) -> tuple[nn.Module, ...]:
        """The final norm."""
        return (self.layer_norm,)

    def feature_encoder(self) -> tuple[nn.Module, ...]:
        """The two convolutions over the spectrogram."""
        return self.conv1, self.conv2

    def own_name(self, checkpoint_name: str) -> str | None:
        """The encoder's tensors in a whole model, in a bare one, or in the encoder alone."""
        name = checkpoint_name.removeprefix("model.")
        if name.startswith(("decoder.", "proj_out.")):
            return None
        return name.removeprefix("encoder.")


def spectrogram(waveforms: Tensor, lengths: Tensor, bins: int) -> Tensor:
    """Whisper's input: log-mel power within `DYNAMIC_RANGE` of the utterance's own maximum.

    Shape:
        waveforms: (B, S), 16 kHz
        output: (B, bins, F); real for the first `mel_frames(lengths)` frames of a row
    """
    log_mel = log10_mel(waveforms, lengths, bins)
    real = valid_mask(mel_frames(lengths), log_mel.shape[2])[:, None]
    loudest = log_mel.masked_fill(~real, -torch.inf).amax((1, 2), keepdim=True)
    return (torch.maximum(log_mel, loudest - DYNAMIC_RANGE) + 4) / 4


def read_settings(folder: Path) -> dict[str, object]:
    """The architecture beside a checkpoint."""
    return read_config(folder / "config.json")


def build(card: BackboneCard, settings: Mapping[str, object]) -> Whisper:
    """The encoder of `settings`, with the weights its constructor gives it."""
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    config = WhisperConfig.from_dict(dict(settings), attn_implementation=teach_transformers())
    return Whisper(card, WhisperEncoder(config))
