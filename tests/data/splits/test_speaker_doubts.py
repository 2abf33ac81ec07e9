"""Errors of splits ask whether the speakers are right where they look strange."""

from pathlib import Path

import pytest

from harness.data.splits.folds import split
from harness.data.splits.speaker_doubts import speaker_doubts
from harness.data.utterances import Corpus, Utterance, make_corpus
from harness.errors import CorpusError
from harness.specs import ProtocolSpec


def corpus(*pairs: tuple[str, str | None]) -> Corpus:
    return make_corpus(
        "mine",
        [Utterance(f"u{n}", Path("x.wav"), label, who) for n, (label, who) in enumerate(pairs)],
    )


FOUR = ("angry", "happy", "neutral", "sad")


@pytest.mark.parametrize(
    ("pairs", "doubt"),
    [
        ([(label, label) for label in FOUR * 3], "every speaker is called as the class"),
        ([(label, f"actor of {label}") for label in FOUR * 3], "each class has only one speaker"),
        ([(label, "me") for label in FOUR * 3], "all utterances have one speaker"),
        ([(FOUR[n % 4], str(n)) for n in range(12)], "every utterance has a speaker of its own"),
        ([(label, who) for label in FOUR for who in "abc"], None),
        ([(label, None) for label in FOUR], None),
    ],
)
def test_strange_speakers_are_asked_about(
    pairs: list[tuple[str, str | None]], doubt: str | None
) -> None:
    wanted = f"; {doubt}: is the column of speakers right?" if doubt else ""
    assert speaker_doubts(corpus(*pairs).utterances) == wanted


def test_folds_that_cannot_be_cut_for_strange_speakers_ask_too() -> None:
    strange = corpus(*((label, f"actor of {label}") for label in FOUR * 3))
    with pytest.raises(CorpusError, match="each class has only one speaker: is the column"):
        split(strange, ProtocolSpec(folds=2), 1)
    with pytest.raises(CorpusError, match="all utterances have one speaker: is the column"):
        split(corpus(*((label, "me") for label in FOUR * 3)), ProtocolSpec(folds=2), 1)
