from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from harness.data.corpus_reading import read_corpus
from harness.data.splits.folds import split
from harness.data.splits.leakage import check
from harness.data.subset import subset
from harness.data.utterances import Corpus, Utterance, make_corpus
from harness.specs import CorpusSpec, ProtocolSpec


def grid(speakers: int = 6, takes: int = 5) -> Corpus:
    return make_corpus(
        "grid",
        (
            Utterance(f"{s}-{label}-{take}", Path("x"), label, f"s{s}")
            for s in range(speakers)
            for label in ("angry", "happy", "sad")
            for take in range(takes)
        ),
    )


def test_speakers_and_classes_are_evenly_spread() -> None:
    few = subset(grid(), 18)
    assert set(Counter(u.speaker for u in few.utterances).values()) == {3}
    assert set(Counter(u.target for u in few.utterances).values()) == {6}
    assert few.classes == grid().classes


def test_the_same_utterances_are_chosen_whatever_the_order() -> None:
    corpus = grid()
    shuffled = Corpus(corpus.name, corpus.utterances[::-1], corpus.classes)
    assert set(subset(corpus, 11).by_id()) == set(subset(shuffled, 11).by_id())


@pytest.mark.parametrize("wanted", [1, 7, 89, 90, 500])
def test_it_gives_as_many_as_asked_for_if_there_are_so_many(wanted: int) -> None:
    assert len(subset(grid(), wanted).utterances) == min(wanted, 90)


def test_forty_utterances_of_ravdess_still_make_every_fold(ravdess_root: Path) -> None:
    corpus = subset(read_corpus(CorpusSpec(name="ravdess", root=str(ravdess_root))), 40)
    for fold in range(1, 7):
        splits = split(corpus, ProtocolSpec(folds="emobox", dev_speakers=4), fold)
        check(splits, corpus)
        assert sum(map(len, splits.named().values())) == 40
