from __future__ import annotations

from pathlib import Path

import pytest

from harness.data.audio_info import AudioInfo
from harness.data.splits.leakage import check
from harness.data.utterances import Splits, Utterance, make_corpus
from harness.errors import CorpusError

CORPUS = make_corpus(
    "made",
    (
        Utterance(name, Path(name), "happy", speaker)
        for name, speaker in {"a1": "a", "a2": "a", "b1": "b", "c1": "c", "x1": None}.items()
    ),
)


def audio_info(**digests: str) -> list[AudioInfo]:
    return [
        AudioInfo(u.utterance_id, 1.0, 0.5, digests.get(u.utterance_id, u.utterance_id))
        for u in CORPUS.utterances
    ]


def test_splits_that_share_nothing_pass() -> None:
    check(
        Splits(("a1", "a2"), ("b1",), ("c1",)), CORPUS, audio_info=audio_info(a2="same", a1="same")
    )


def test_a_speaker_in_two_splits_is_named() -> None:
    with pytest.raises(CorpusError, match=r"train and dev share speakers: a\..*speaker_overlap"):
        check(Splits(("a1",), ("a2",), ("c1",)), CORPUS)


def test_a_speaker_may_be_in_two_splits_if_the_suite_says_so() -> None:
    check(Splits(("a1",), ("a2",), ("c1",)), CORPUS, overlap_allowed=True)


def test_speakers_that_are_unknown_are_not_taken_for_one() -> None:
    check(Splits(("a1",), ("b1",), ("x1",)), CORPUS)


def test_an_utterance_in_two_splits_is_refused_always() -> None:
    with pytest.raises(CorpusError, match="train and test share utterances: a1"):
        check(Splits(("a1",), ("b1",), ("a1",)), CORPUS, overlap_allowed=True)


def test_the_same_sound_in_two_splits_is_refused_always() -> None:
    with pytest.raises(CorpusError, match=r"identical recordings: b1 = c1\. .*duplicate: exclude"):
        check(
            Splits(("a1",), ("b1",), ("c1",)),
            CORPUS,
            overlap_allowed=True,
            audio_info=audio_info(b1="same", c1="same"),
        )
