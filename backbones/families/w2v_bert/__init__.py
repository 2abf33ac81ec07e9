"""w2v-BERT 2.0."""

from __future__ import annotations

from backbones.families.family import Family, transformers_shape
from backbones.families.w2v_bert.w2v_bert_cards import CARDS

FAMILY = Family(
    ("w2v-bert",),
    "backbones.families.w2v_bert.w2v_bert_network",
    packages=("torch", "transformers"),
    shape=transformers_shape,
    cards=CARDS,
)
