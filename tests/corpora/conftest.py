from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

REAL_CORPORA = Path(
    os.environ.get("HARNESS_CORPORA", Path(__file__).parents[3] / "shared" / "corpora")
).resolve()

WriteAudio = Callable[..., Path]


def real_corpus(name: str) -> Path:
    if not (REAL_CORPORA / name).is_dir():
        pytest.skip(f"the corpus {name} is not on this machine")
    return REAL_CORPORA / name


@pytest.fixture
def ravdess_root() -> Path:
    return real_corpus("ravdess")


@pytest.fixture
def emodb_root() -> Path:
    return real_corpus("emodb_first2s")


@pytest.fixture
def write_audio(tmp_path: Path) -> WriteAudio:
    """Writes noise of its own to a file under the test's folder."""

    def write(
        name: str, duration_s: float = 0.5, gain: float = 0.1, seed: int | None = None
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        own = sum(name.encode()) if seed is None else seed
        samples = gain * np.random.default_rng(own).uniform(-1, 1, round(duration_s * 16_000))
        soundfile.write(path, np.round(samples * 32_767).astype(np.int16), 16_000)
        return path

    return write
