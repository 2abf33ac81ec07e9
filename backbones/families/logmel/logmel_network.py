"""The floor every pretrained network has to beat: normalised log-mel energies, no weights."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from backbones.base import Backbone, BackboneConfig, Frames
from backbones.cards import BackboneCard
from backbones.nn.mel import SHORTEST, log10_mel, mel_frames
from backbones.nn.padding import standardise

EPSILON = 1e-5  # keeps digital silence at 0


class LogMel(Backbone):
    """Log-mel energies with mean 0 and variance 1 over all bands and frames of the utterance.

    Loudness goes, the shape of the spectrum stays: bands normalised one by one would leave a
    pooling by mean and deviation nothing to see.
    """

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
        frames, bands = mel_frames(lengths), self.config.hidden_size
        energies = log10_mel(waveforms, lengths, bands).transpose(1, 2)
        flat = standardise(energies.flatten(1), frames * bands, EPSILON)
        return Frames(flat.view_as(energies), frames)

    def run(self, frames: Frames, start: int, stop: int) -> Frames:
        """There are no layers to run."""
        return frames


def build(card: BackboneCard, settings: Mapping[str, object]) -> LogMel:
    """The log-mel backbone; it has no settings beyond its card."""
    return LogMel(card)
