"""Published corpora by the names that people use for them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.corpora import CORPORA
from harness.data.known_corpora import (
    EMOBOX,
    KNOWN_CORPORA,
    ORDINARY_WORDS,
    collection,
    corpora_in_name,
    known_corpus,
    plain,
)

NAMES = sorted({name for corpus, others in KNOWN_CORPORA.items() for name in (corpus, *others)})
DISTINCT = [name for name in NAMES if plain(name) not in ORDINARY_WORDS]
SIGNS = st.sampled_from(["_", "-", " ", ".", "/", "__"])
# of no name, and a part of none: no name has four digits in a row
OTHER_WORDS = st.text("0123456789", min_size=4, max_size=6).filter(lambda text: "2023" not in text)


def corpus_of(name: str) -> str:
    (found,) = [corpus for corpus, others in KNOWN_CORPORA.items() if name in (corpus, *others)]
    return found


def test_emoboxs_collection_is_its_32_lists() -> None:
    assert len(EMOBOX) == 32
    assert collection("emobox") == collection("EmoBox") == set(EMOBOX)
    assert collection("RAVDESS") is None


def test_no_name_means_two_corpora() -> None:
    assert len({plain(name) for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("reader", sorted(set(CORPORA) - {"manifest", "emobox", "synthetic"}))
def test_what_a_reader_of_one_corpus_reads_is_known(reader: str) -> None:
    assert known_corpus(reader) in KNOWN_CORPORA


@given(st.sampled_from(NAMES), st.data())
def test_case_and_signs_do_not_matter(name: str, data: st.DataObject) -> None:
    cases = data.draw(st.lists(st.booleans(), min_size=len(name), max_size=len(name)))
    mixed = "".join(
        sign.upper() if upper else sign.lower() for sign, upper in zip(name, cases, strict=True)
    )
    signed = mixed.replace("-", data.draw(st.sampled_from(["", "-", "_", " "])))
    assert known_corpus(signed) == corpus_of(name)
    assert corpora_in_name(signed) == {corpus_of(name)}


@given(st.sampled_from(DISTINCT), st.lists(OTHER_WORDS, max_size=2), OTHER_WORDS, SIGNS)
def test_a_whole_word_of_a_name_counts(name: str, before: list[str], after: str, sign: str) -> None:
    assert corpora_in_name(sign.join([*before, name, after])) == {corpus_of(name)}


@given(
    st.sampled_from(NAMES),
    st.text(string.ascii_lowercase, max_size=4),
    st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=4),
)
def test_a_part_of_a_word_does_not_count(name: str, before: str, after: str) -> None:
    longer = before + plain(name) + after
    if known_corpus(longer) is None:
        assert corpora_in_name(longer) == corpora_in_name(f"a1b2 {longer}") == set()


@given(st.sampled_from(sorted(ORDINARY_WORDS)), OTHER_WORDS, SIGNS)
def test_an_ordinary_word_counts_alone(word: str, other: str, sign: str) -> None:
    assert corpora_in_name(f"{other}{sign}{word}") == set()
    assert corpora_in_name(word.upper()) == {corpus_of_word(word)}


def corpus_of_word(word: str) -> str:
    (found,) = {corpus_of(name) for name in NAMES if plain(name) == word}
    return found


@given(st.text(max_size=30))
def test_any_name_has_an_answer(name: str) -> None:
    assert corpora_in_name(name) <= set(KNOWN_CORPORA)
    if known := known_corpus(name):
        assert corpora_in_name(name) == {known}


@pytest.mark.parametrize(
    ("name", "corpora"),
    [
        ("crema", {"CREMA-D"}),
        ("my_crema-d", {"CREMA-D"}),
        ("berlin", {"EMO-DB"}),
        ("Berlin EMO-DB", {"EMO-DB"}),
        ("berlin_calls", set()),
        ("emodb_first2s", {"EMO-DB"}),
        ("my_meldings", set()),
        ("meld.v2", {"MELD"}),
        ("MSP-Podcast-1.11", {"MSP-Podcast"}),
        ("asvp_esd", {"ASVP-ESD"}),
        ("crema_and_esd", {"CREMA-D", "ESD"}),
        ("oréau", {"Oréau"}),
        ("call_centre", set()),
        ("", set()),
    ],
)
def test_names_that_users_write(name: str, corpora: set[str]) -> None:
    assert corpora_in_name(name) == corpora
