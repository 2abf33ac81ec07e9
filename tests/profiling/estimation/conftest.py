"""The smoke suite's trials and speech."""

from collections.abc import Callable

import pytest
from quiet import Quiet

from harness.config.matrix import expand
from harness.config.suite_loading import load_suite
from harness.data.corpus_reading import corpus_card, read_corpus
from harness.data.prepared_corpus import PreparedCorpus, prepare_corpus
from harness.data.splits.folds import fold_numbers
from harness.specs import CorpusSpec, Trial


@pytest.fixture(scope="session")
def prepared() -> PreparedCorpus:
    """The synthetic corpus."""
    return prepare_corpus(CorpusSpec(name="synthetic"), None, Quiet())


@pytest.fixture
def trials() -> Callable[..., tuple[Trial, ...]]:
    """The smoke suite with some changes: `trials("training.epochs=2")`."""

    def make(*changes: str) -> tuple[Trial, ...]:
        suite = load_suite("smoke", list(changes))

        def folds(spec: CorpusSpec) -> tuple[int, ...]:
            return fold_numbers(suite.protocol, spec, corpus_card(spec), lambda: read_corpus(spec))

        return expand(suite, folds)

    return make
