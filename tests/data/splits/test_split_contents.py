"""What a record keeps of each split."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.data.splits.split_contents import sentences_shared, split_content
from harness.data.utterances import Splits, Utterance

UTTERANCES = [
    Utterance(name, Path(name), "happy", speaker, text=text, sha256=f"sound of {name}")
    for name, speaker, text in (
        ("a1", "a", "Kids are talking."),
        ("a2", "a", None),
        ("b1", "b", "kids are talking"),
        ("b2", None, "Dogs are sitting."),
    )
]


def test_speakers_are_listed_once_and_those_not_known_are_not() -> None:
    assert split_content(UTTERANCES).speakers == ("a", "b")


@pytest.mark.parametrize(
    "change",
    [{"utterance_id": "z"}, {"target": "sad"}, {"speaker": "z"}, {"sha256": "another"}],
)
def test_the_digest_is_of_ids_targets_speakers_and_sound(change: dict[str, Any]) -> None:
    other = [replace(UTTERANCES[0], **change), *UTTERANCES[1:]]
    assert split_content(other).digest != split_content(UTTERANCES).digest
    moved = [replace(each, path=Path("elsewhere")) for each in reversed(UTTERANCES)]
    assert split_content(moved).digest == split_content(UTTERANCES).digest


@pytest.mark.parametrize(
    ("train", "test", "share"),
    [
        (("a1",), ("b1", "b2"), 0.5),
        (("a1", "a2"), ("b1",), 1.0),
        (("a1",), ("a2", "b2"), 0.0),  # of the one whose text is known
        (("a2",), ("b1",), None),
        (("a1",), ("a2",), None),
    ],
)
def test_sentences_are_compared_by_their_letters_where_they_are_known(
    train: tuple[str, ...], test: tuple[str, ...], share: float | None
) -> None:
    by_id = {each.utterance_id: each for each in UTTERANCES}
    assert sentences_shared(Splits(train, (), test), by_id) == share
