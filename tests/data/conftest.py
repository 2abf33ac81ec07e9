from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

WriteAudio = Callable[..., Path]


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
