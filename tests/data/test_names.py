"""Speakers and labels that are one however they are written, and those nobody can tell apart."""

from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.names import check_names, plain_name, with_plain_names
from harness.data.utterances import Corpus, Utterance, make_corpus
from harness.errors import CorpusError


def corpus(*pairs: tuple[str, str | None]) -> Corpus:
    return make_corpus(
        "mine",
        [
            Utterance(str(n), Path(f"{n}.wav"), target=label, speaker=speaker)
            for n, (label, speaker) in enumerate(pairs)
        ],
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("J\u00fcrgen", "Ju\u0308rgen"),
        ("1", "1.0"),
        ("12", "12.00"),
        ("Anna B.", " Anna  B. "),
        ("Anna B.", "Anna\u00a0B."),
        ("angry", "angry\u200b"),
    ],
)
def test_spellings_of_one_name_are_one(one: str, other: str) -> None:
    assert plain_name(one) == plain_name(other)
    found = with_plain_names(corpus((one, one), (other, other)))
    assert len(found.speakers()) == len(found.classes) == 1


@pytest.mark.parametrize(
    ("one", "other"), [("1", "01"), ("1.5", "1.50"), ("v1.0", "v1"), ("a", "b")]
)
def test_other_names_stay_apart(one: str, other: str) -> None:
    assert plain_name(one) != plain_name(other)


@given(st.text())
def test_a_plain_name_is_its_own_plain_name_in_every_unicode_form(name: str) -> None:
    plain = plain_name(name)
    assert plain_name(plain) == plain
    assert plain_name(normalize("NFD", name)) == plain_name(normalize("NFC", name))


def test_numbers_to_be_predicted_and_unknown_speakers_stay_as_they_are() -> None:
    utterances = [Utterance("a", Path("a.wav"), target=1.0), Utterance("b", Path("b.wav"))]
    found = with_plain_names(make_corpus("mine", utterances)).utterances
    assert [(u.target, u.speaker) for u in found] == [(1.0, None), (None, None)]


def test_names_that_differ_in_case_alone_are_refused() -> None:
    with pytest.raises(CorpusError, match="speakers 'Anna' and 'anna' differ in case"):
        check_names(corpus(("sad", "Anna"), ("sad", "anna")))
    with pytest.raises(CorpusError, match="classes 'Sad' and 'sad' differ in case"):
        check_names(corpus(("sad", "1"), ("Sad", "2")))
    check_names(corpus(("sad", "Anna"), ("happy", "Ann")))


@pytest.mark.parametrize("name", ["nan", "NaN", "None", "null", "N/A", "NaT"])
def test_names_that_look_like_nothing_are_refused(name: str) -> None:
    with pytest.raises(CorpusError, match=f"class {name!r} looks like a value that is missing"):
        check_names(corpus((name, "1")))
    with pytest.raises(CorpusError, match=f"speaker {name!r} looks like a value that is missing"):
        check_names(corpus(("sad", name)))
