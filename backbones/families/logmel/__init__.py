"""Log-mel energies, the floor that every pretrained network has to beat."""

from __future__ import annotations

from backbones.cards import BackboneCard
from backbones.families.family import Family

FAMILY = Family(
    ("logmel",),
    "backbones.families.logmel.logmel_network",
    packages=("torch",),
    cards=(BackboneCard("logmel", "logmel", 80, 0, frame_rate_hz=100.0, parameters=0),),
)
