from __future__ import annotations

from pathlib import Path

import pytest

from harness.data.audio_info import AudioInfo
from harness.data.splits.leakage import check
from harness.data.utterances import Corpus, Splits, Utterance, make_corpus
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


def stretches(*bounds: tuple[float | None, float | None], file: str = "long.wav") -> Corpus:
    """Stretches of one recording, each by a speaker of its own."""
    return make_corpus(
        "mine",
        [
            Utterance(f"u{n}", Path(file), "sad", f"s{n}", start_s=start, end_s=end)
            for n, (start, end) in enumerate(bounds)
        ],
    )


@pytest.mark.parametrize(
    "bounds",
    [
        [(0.0, 4.0), (9.0, 11.0), (2.6, 6.0)],
        [(None, None), (9.0, 11.0), (2.6, 6.0)],
        [(0.0, 20.0), (9.0, 11.0), (2.6, 6.0)],
        [(5.0, None), (0.0, 1.0), (7.0, 8.0)],
    ],
)
def test_overlapping_stretches_of_one_recording_are_refused_in_two_splits(
    bounds: list[tuple[float | None, float | None]],
) -> None:
    splits = Splits(train=("u0",), dev=("u1",), test=("u2",))
    with pytest.raises(CorpusError, match=r"share parts of a recording: .*u0"):
        check(splits, stretches(*bounds), overlap_allowed=True)


def test_stretches_that_only_touch_or_overlap_within_a_split_are_fine() -> None:
    touching = stretches((0.0, 2.0), (2.0, 4.0), (3.99, 6.0))
    check(Splits(train=("u0",), dev=("u1",), test=("u2",)), touching)
    within = stretches((0.0, 2.0), (1.0, 3.0), (5.0, 6.0), (7.0, 8.0))
    check(Splits(train=("u0", "u1"), dev=("u2",), test=("u3",)), within)


def test_a_stretch_that_is_in_no_split_joins_nothing() -> None:
    """u1 overlaps both of the others, which do not overlap each other."""
    corpus = stretches((0.0, 2.0), (1.0, 4.0), (3.0, 5.0))
    check(Splits(train=("u0",), dev=(), test=("u2",)), corpus)


def test_links_to_one_file_are_one_file(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"sound")
    (tmp_path / "b.wav").hardlink_to(tmp_path / "a.wav")
    (tmp_path / "c.wav").symlink_to(tmp_path / "a.wav")
    corpus = make_corpus(
        "mine",
        [
            Utterance(name, tmp_path / f"{name}.wav", "sad", name, start_s=n, end_s=n + 1.5)
            for n, name in enumerate("abc")
        ],
    )
    with pytest.raises(CorpusError, match="share parts of a recording"):
        check(Splits(train=("a",), dev=("b",), test=("c",)), corpus)
