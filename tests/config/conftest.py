from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

WriteSuite = Callable[..., Path]


@pytest.fixture
def write_suite(tmp_path: Path) -> WriteSuite:
    """Writes a suite file: `write_suite(text)` or `write_suite(text, "name.yaml")`."""

    def write(text: str, name: str = "suite.yaml") -> Path:
        path = tmp_path / name
        path.write_text(dedent(text), encoding="utf-8")
        return path

    return write


@pytest.fixture
def small(write_suite: WriteSuite) -> Path:
    """A suite without mistakes."""
    return write_suite("""\
        suite: small
        corpora: [ravdess]
        protocol: {folds: emobox}
        backbones: [wavlm-base, emotion2vec_plus_base]
        matrix:
          finetune_layers: [0, 3]
          seed: [1, 2]
        training:
          epochs: 4
          learning_rate: {head: 1e-3}
        """)
