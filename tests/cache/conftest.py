"""Tiny networks, noise to put through them, and an empty store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from accelerate import Accelerator

from backbones import BACKBONES, BackboneCard
from backbones.base import Backbone
from backbones.families.w2v_bert.w2v_bert_cards import w2v_bert_architecture
from backbones.families.whisper.whisper_cards import whisper_architecture
from backbones.loading import load
from harness.cache.frame_store import FrameKey, FrameStore
from harness.cache.frame_views import FrameView
from harness.cache.shard_writer import ShardWriter
from harness.data.batches import LabelledSplit
from harness.data.utterances import Utterance
from harness.training.devices import make_accelerator

KEY = FrameKey(
    "tiny-wavlm", "weights", "settings", "fingerprint", "cpu", "float32", "float32", FrameView(0)
)
LENGTHS = (16_000, 4000, 9123, 16_001, 30_000, 7000)
WHISPER = BackboneCard(
    "tiny-whisper-in-windows",  # of 1 s, so that short noise has several
    "whisper",
    64,
    2,
    always_random=True,
    architecture=whisper_architecture(64, 2)
    | {"encoder_attention_heads": 4, "max_source_positions": 50},
)
CARDS = {
    card.name: card
    for card in (
        BACKBONES["tiny-wavlm"],
        BACKBONES["tiny-emotion2vec"],
        BACKBONES["logmel"],
        WHISPER,
        replace(WHISPER, name="tiny-whisper-padded", pads_to_s=1.0),
        BackboneCard(
            "tiny-w2v-bert",
            "w2v-bert",
            64,
            3,
            always_random=True,
            architecture=w2v_bert_architecture(64, 3, 4),
        ),
    )
}


@pytest.fixture(scope="session", params=CARDS)
def backbone(request: pytest.FixtureRequest) -> Backbone:
    return load(CARDS[request.param])


@pytest.fixture(scope="session")
def emotion2vec() -> Backbone:
    """Its frames carry extra tokens below the top."""
    return load(CARDS["tiny-emotion2vec"])


@pytest.fixture
def accelerator() -> Accelerator:
    return make_accelerator("cpu", "float32")


@pytest.fixture
def store(tmp_path: Path) -> FrameStore:
    return FrameStore(tmp_path / "frames")


@pytest.fixture
def key() -> Callable[..., FrameKey]:
    """A frame key with other fields than the plain one: `key(view=FrameView(1))`."""

    def make(**changes: object) -> FrameKey:
        return replace(KEY, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def noise(tmp_path_factory: pytest.TempPathFactory) -> LabelledSplit:
    """Recordings of several lengths."""
    folder = tmp_path_factory.mktemp("noise")
    rng = np.random.default_rng(0)
    utterances = []
    for number, length in enumerate(LENGTHS):
        path = folder / f"{number}.wav"
        samples = 0.1 * rng.standard_normal(length)
        soundfile.write(path, samples.astype(np.float32), 16_000, subtype="FLOAT")
        utterances.append(Utterance(path.stem, path, "neutral", "s1"))
    seconds = tuple(length / 16_000 for length in LENGTHS)
    return LabelledSplit(tuple(utterances), tuple(range(len(LENGTHS))), seconds)


@pytest.fixture(scope="session")
def sounds(noise: LabelledSplit) -> Sequence[str]:
    """Stand for the digests of what is heard in the noise."""
    return [f"sound-{utterance.utterance_id}" for utterance in noise.utterances]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a little noise has several."""
    monkeypatch.setattr("harness.cache.extraction.BATCH_SECONDS", 2.0)


@pytest.fixture(autouse=True)
def _deterministic() -> None:
    torch.manual_seed(0)


@pytest.fixture
def keep(store: FrameStore) -> Callable[..., Path]:
    """Writes a shard: `keep(key, "name", {"sound": frames})` gives back its folder."""

    def write(key: FrameKey, name: str, frames: dict[str, torch.Tensor]) -> Path:
        with ShardWriter.opened(store.partial_shard(key, name), key) as writer:
            for sound, values in frames.items():
                writer.append([sound], values[None], [len(values)])
        writer.seal()
        return store.folder_of(key) / name

    return write
