"""In what the relatives of wav2vec 2.0 differ. No torch here.

Sources: Baevski et al., wav2vec 2.0, 2020. Hsu et al., HuBERT, 2021. Babu et al., XLS-R, 2021.
Chen et al., UniSpeech-SAT, 2022. Chen et al., WavLM, 2022. Baevski et al., data2vec, 2022.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """One family as transformers writes it."""

    classes: str
    """What the names of its config and model start with."""
    prefix: str
    """What whole models with a task's head put before the network's tensors."""
    gated_bias: bool = False
    """Whether attention adds a bias by distance, which a gate of every layer scales."""
    projects_alone: bool = False
    """Whether the feature projection returns its output alone, without its own input."""
    stacked_positions: bool = False
    """Whether positions come from a stack of convolutions; layers then never normalise first."""


VARIANTS = {
    "wavlm": Variant("WavLM", "wavlm", gated_bias=True),
    "hubert": Variant("Hubert", "hubert", projects_alone=True),
    "wav2vec2": Variant("Wav2Vec2", "wav2vec2"),
    "data2vec": Variant("Data2VecAudio", "data2vec_audio", stacked_positions=True),
    "unispeech-sat": Variant("UniSpeechSat", "unispeech_sat"),
}
"""By the family on a card; XLS-R is a wav2vec 2.0."""
