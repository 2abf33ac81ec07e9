"""The encoders of Whisper."""

from __future__ import annotations

from backbones.families.family import Family
from backbones.families.whisper.whisper_cards import CARDS, whisper_shape

FAMILY = Family(
    ("whisper",),
    "backbones.families.whisper.whisper_network",
    packages=("torch", "transformers"),
    shape=whisper_shape,
    cards=CARDS,
)
