"""The floor every pretrained network has to beat: normalised log-mel energies, no weights."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from backbones.base import Backbone, BackboneConfig, Frames
from backbones.cards import BackboneCard
from backbones.mel import SHORTEST, log10_mel, mel_frames
from backbones.padding import standardise

EPSILON = 1e-5  # keeps a band that never changes (digital silence) at 0


class LogMel(Backbone):
    """Log-mel energies, each band with mean 0 and variance 1 over the utterance."""

    minimum_samples = SHORTEST

    def __init__(self, card: BackboneCard) -> None:
        super().__init__()
        self.card = card
        self.config = BackboneConfig(card.hidden_size, num_hidden_layers=0)
        self.layers = nn.ModuleList()

    def frame_lengths(self, lengths: Tensor) -> Tensor:
        """One frame every 10 ms."""
        return mel_frames(lengths)

    def embed(self, waveforms: Tensor, lengths: Tensor) -> Frames:
        """Normalised log-mel energies, one vector of `config.hidden_size` bands a frame."""
        frames = mel_frames(lengths)
        energies = log10_mel(waveforms, lengths, self.config.hidden_size)
        return Frames(standardise(energies, frames, EPSILON).transpose(1, 2), frames)

    def run(self, frames: Frames, start: int, stop: int) -> Frames:
        """There are no layers to run."""
        return frames


def build(card: BackboneCard, settings: Mapping[str, object]) -> LogMel:
    """The log-mel backbone; it has no settings beyond its card."""
    return LogMel(card)
