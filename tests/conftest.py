"""What several test modules share. No torch here: pytest-benchmark imports this file too."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(autouse=True, scope="session")
def _machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every test sees the same machine: no network, and a cache that is the test run's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Calls the command line: `cli("plan", "smoke").out`."""
    from commandline import CommandLine

    return CommandLine(monkeypatch, capsys)


def _shared(variable: str, folder: str, needed: str) -> Path:
    named = os.environ.get(variable)
    root = Path(named) if named else SHARED / folder
    if not (root / needed).is_dir():
        pytest.skip(f"{needed} lies neither in ${variable} nor in {SHARED / folder}")
    return root


@pytest.fixture
def ravdess(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the real RAVDESS corpus; skips where there is none."""
    root = _shared("HARNESS_CORPORA", "corpora", "ravdess")
    monkeypatch.setenv("HARNESS_CORPORA", str(root))
    return root / "ravdess"


@pytest.fixture
def whisper_base(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the really pretrained whisper-base encoder; skips where there is none."""
    root = _shared("HARNESS_MODELS", "models", "whisper-base")
    monkeypatch.setenv("HARNESS_MODELS", str(root))
    return root / "whisper-base"
