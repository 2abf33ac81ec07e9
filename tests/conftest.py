"""What several test modules share. No torch here: pytest-benchmark imports this file too."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).parents[2] / "shared"
"""Real speech and a real model, where a machine has them; nothing else needs them."""


@pytest.fixture(autouse=True, scope="session")
def _machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every test sees the same machine: no network, and a cache that is the test run's own."""
    # a test run that a shell started in the background ignores interrupts, and some tests send one
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Calls the command line: `cli("plan", "smoke").out`."""
    from commandline import CommandLine

    return CommandLine(monkeypatch, capsys)


def _real(variable: str, folder: str, name: str) -> Path:
    """A folder of real data, at $variable or beside the checkout; skips where there is none."""
    root = Path(os.environ.get(variable, SHARED / folder)).resolve()
    if not (root / name).is_dir():
        pytest.skip(f"{name} lies neither in ${variable} nor beside the checkout")
    return root / name


@pytest.fixture(scope="session")
def ravdess_root() -> Path:
    """The folder of the real RAVDESS corpus."""
    return _real("HARNESS_CORPORA", "corpora", "ravdess")


@pytest.fixture(scope="session")
def emodb_root() -> Path:
    """The folder of EMO-DB, every recording cut to its first 2 s."""
    return _real("HARNESS_CORPORA", "corpora", "emodb_first2s")


@pytest.fixture(scope="session")
def whisper_base() -> Path:
    """The folder of the really pretrained whisper-base encoder."""
    return _real("HARNESS_MODELS", "models", "whisper-base")
