"""Tiny networks of every family, and batches to put through them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from backbones import BACKBONES, BackboneCard
from backbones.base import Backbone
from backbones.families.w2v_bert.w2v_bert_cards import w2v_bert_architecture
from backbones.families.whisper.whisper_cards import whisper_architecture
from backbones.loading import load

TINY_WHISPER = BackboneCard(
    "tiny-whisper",
    "whisper",
    64,
    2,
    always_random=True,
    architecture=whisper_architecture(64, 2) | {"encoder_attention_heads": 4, "dropout": 0.1},
)
TINY_WHISPER_IN_WINDOWS = replace(
    TINY_WHISPER,
    name="tiny-whisper-in-windows",  # of 1 s, so that short noise has several
    architecture=TINY_WHISPER.architecture | {"max_source_positions": 50},
)
TINY_WHISPER_PADDED = replace(TINY_WHISPER_IN_WINDOWS, name="tiny-whisper-padded", pads_to_s=1.0)
TINY_W2V_BERT = BackboneCard(
    "tiny-w2v-bert",
    "w2v-bert",
    64,
    3,
    always_random=True,
    architecture=w2v_bert_architecture(64, 3, 4)
    | {"hidden_dropout": 0.1, "attention_dropout": 0.1, "layerdrop": 0.1},
)
PRE_NORM = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}
TINY_WAVLM_PRE_NORM = replace(
    BACKBONES["tiny-wavlm"],
    name="tiny-wavlm-pre-norm",
    architecture=BACKBONES["tiny-wavlm"].architecture | PRE_NORM,
)
SMALLER = BACKBONES["tiny-wavlm"].architecture
STACKED = {"num_conv_pos_embeddings": 3, "conv_pos_kernel_size": 5}
TINY_VARIANTS = [
    replace(
        BACKBONES["tiny-wavlm"],
        name=f"tiny-{family}{name}",
        family=family,
        architecture=SMALLER | settings,
    )
    for family, variants in {
        "hubert": {"": {}, "-pre-norm": PRE_NORM, "-bare": {"feat_proj_layer_norm": False}},
        "wav2vec2": {"": {}, "-pre-norm": PRE_NORM},
        "data2vec": {"": STACKED},
        "unispeech-sat": {"": {}, "-pre-norm": PRE_NORM},
    }.items()
    for name, settings in variants.items()
]
TINY_CARDS = {
    card.name: card
    for card in (
        BACKBONES["tiny-wavlm"],
        TINY_WAVLM_PRE_NORM,
        *TINY_VARIANTS,
        TINY_WHISPER,
        TINY_WHISPER_IN_WINDOWS,
        TINY_WHISPER_PADDED,
        TINY_W2V_BERT,
        BACKBONES["tiny-emotion2vec"],
        BACKBONES["logmel"],
    )
}
TRANSFORMERS = [name for name, card in TINY_CARDS.items() if card.depth > 0]

_LOADED: dict[str, Backbone] = {}


@pytest.fixture
def tiny() -> Callable[[str], Backbone]:
    """A fresh copy of a tiny backbone, by name."""

    def fresh(name: str) -> Backbone:
        if name not in _LOADED:
            _LOADED[name] = load(TINY_CARDS[name])
        return copy.deepcopy(_LOADED[name])

    return fresh


@pytest.fixture(params=TINY_CARDS)
def backbone(request: pytest.FixtureRequest, tiny: Callable[[str], Backbone]) -> Backbone:
    return tiny(request.param)


@pytest.fixture(params=TRANSFORMERS)
def transformer(request: pytest.FixtureRequest, tiny: Callable[[str], Backbone]) -> Backbone:
    return tiny(request.param)


@pytest.fixture
def batch() -> Callable[..., tuple[Tensor, Tensor]]:
    """Noise at speech level: waveforms (B, S) and an attention mask (B, S)."""

    def make(*lengths: int, seed: int = 0) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        waveforms = 0.1 * torch.randn(len(lengths), max(lengths), generator=generator)
        real = torch.arange(max(lengths))[None, :] < torch.tensor(lengths)[:, None]
        return waveforms * real, real.long()

    return make


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with empty caches and no models, whose network answers nothing."""
    for name in ("HARNESS_MODELS", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # read on import
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "huggingface"))
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "modelscope"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", "http://127.0.0.1:9")
    return tmp_path
