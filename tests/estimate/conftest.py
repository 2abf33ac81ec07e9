"""The smoke suite's trials and speech."""

from collections.abc import Callable

import pytest
from quiet import Quiet

from harness.corpora.reading import corpus_card, read_corpus
from harness.ground import Ground, prepare_ground
from harness.protocol.folds import fold_numbers
from harness.suite.load import load_suite
from harness.suite.matrix import expand
from harness.suite.schema import CorpusSpec, Trial


@pytest.fixture(scope="session")
def ground() -> Ground:
    """The synthetic corpus."""
    return prepare_ground(CorpusSpec(name="synthetic"), None, Quiet())


@pytest.fixture
def trials() -> Callable[..., tuple[Trial, ...]]:
    """The smoke suite with some changes: `trials("training.epochs=2")`."""

    def make(*changes: str) -> tuple[Trial, ...]:
        suite = load_suite("smoke", list(changes))

        def folds(spec: CorpusSpec) -> tuple[int, ...]:
            return fold_numbers(suite.protocol, spec, corpus_card(spec), lambda: read_corpus(spec))

        return expand(suite, folds)

    return make
