from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.corpora.reading import read_corpus
from harness.corpora.utterance import Corpus
from harness.suite.schema import CorpusSpec

REAL_CORPORA = Path(
    os.environ.get("HARNESS_CORPORA", Path(__file__).parents[3] / "shared" / "corpora")
).resolve()


def real_corpus(name: str, kind: str) -> Corpus:
    root = REAL_CORPORA / name
    if not root.is_dir():
        pytest.skip(f"the corpus {name} is not on this machine")
    return read_corpus(CorpusSpec(name=name, kind=kind, root=str(root)))


@pytest.fixture(scope="session")
def ravdess() -> Corpus:
    return real_corpus("ravdess", "ravdess")


@pytest.fixture(scope="session")
def emodb() -> Corpus:
    return real_corpus("emodb_first2s", "emodb")
