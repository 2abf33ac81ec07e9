"""The cards of what has no weights to fetch: a floor to beat, and tiny networks. No torch here."""

from __future__ import annotations

from backbones.architectures import emotion2vec_architecture, wav2vec2_architecture
from backbones.cards import BackboneCard

CARDS = (
    BackboneCard("logmel", "logmel", 80, 0, frame_rate_hz=100.0, parameters=0),
    BackboneCard(
        "tiny-wavlm",
        "wavlm",
        64,
        4,
        always_random=True,
        architecture=wav2vec2_architecture(
            64,
            4,
            4,
            channels=32,
            num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=4,
        ),
    ),
    BackboneCard(
        "tiny-emotion2vec",
        "emotion2vec",
        64,
        4,
        always_random=True,
        architecture=emotion2vec_architecture(64, 4, main=2, prenet=2, channels=32, groups=4),
    ),
)
