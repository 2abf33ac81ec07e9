from pathlib import Path

import pytest

from harness.data.corpus_reading import read_corpus
from harness.data.utterances import Corpus
from harness.specs import CorpusSpec


@pytest.fixture(scope="session")
def ravdess(ravdess_root: Path) -> Corpus:
    return read_corpus(CorpusSpec(name="ravdess", root=str(ravdess_root)))


@pytest.fixture(scope="session")
def emodb(emodb_root: Path) -> Corpus:
    return read_corpus(CorpusSpec(name="emodb_first2s", kind="emodb", root=str(emodb_root)))
