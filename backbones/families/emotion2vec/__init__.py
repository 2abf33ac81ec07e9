"""emotion2vec and emotion2vec+."""

from __future__ import annotations

from backbones.families.emotion2vec.emotion2vec_cards import CARDS, emotion2vec_shape
from backbones.families.family import Family

FAMILY = Family(
    ("emotion2vec",),
    "backbones.families.emotion2vec.emotion2vec_network",
    packages=("torch", "funasr"),
    config_file="config.yaml",
    settings_key="model_conf",
    shape=emotion2vec_shape,
    cards=CARDS,
)
