"""wav2vec 2.0 and what descends from it: WavLM, HuBERT, XLS-R, data2vec and UniSpeech-SAT."""

from __future__ import annotations

from backbones.families.family import Family, transformers_shape
from backbones.families.wav2vec2.wav2vec2_cards import CARDS
from backbones.families.wav2vec2.wav2vec2_variants import VARIANTS

FAMILY = Family(
    tuple(VARIANTS),
    "backbones.families.wav2vec2.wav2vec2_network",
    packages=("torch", "transformers"),
    shape=transformers_shape,
    cards=CARDS,
)
