from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.data.corpora import CORPORA
from harness.data.splits.folds import fold_numbers, split
from harness.data.splits.leakage import check, split_digest
from harness.data.utterances import Corpus, Splits, Target, Utterance, make_corpus
from harness.errors import CorpusError
from harness.specs import CorpusSpec, ProtocolSpec


def corpus_of(counts: dict[str | None, dict[str, int]]) -> Corpus:
    """A corpus from how many utterances of each class each speaker has."""
    return make_corpus(
        "made",
        (
            Utterance(f"{speaker}-{label}-{number}", Path("x"), label, speaker)
            for speaker, by_label in counts.items()
            for label, count in by_label.items()
            for number in range(count)
        ),
    )


def speakers_of(corpus: Corpus, ids: tuple[str, ...]) -> set[str | None]:
    return {corpus.by_id()[name].speaker for name in ids}


def labels_of(corpus: Corpus, ids: tuple[str, ...]) -> set[str]:
    return {corpus.by_id()[name].target for name in ids}


EVEN = corpus_of({f"s{number}": {"happy": 3, "sad": 2} for number in range(10)})


@st.composite
def corpora(draw: st.DrawFn) -> Corpus:
    """Eight to twelve speakers, each with some utterances of each of two or three classes."""
    speakers = draw(st.integers(8, 12))
    classes = ["angry", "happy", "sad"][: draw(st.integers(2, 3))]
    counts = st.fixed_dictionaries({label: st.integers(2, 4) for label in classes})
    return corpus_of({f"s{number}": draw(counts) for number in range(speakers)})


@settings(max_examples=60, deadline=None)
@given(corpora(), st.integers(2, 4), st.randoms(use_true_random=False))
def test_folds_are_disjoint_whole_by_speaker_and_fixed(corpus, folds, random) -> None:  # type: ignore[no-untyped-def]
    protocol = ProtocolSpec(folds=folds)
    tested: list[str] = []
    for fold in range(1, folds + 1):
        splits = split(corpus, protocol, fold)
        check(splits, corpus)
        assert sorted(splits.train + splits.dev + splits.test) == sorted(corpus.by_id())
        for ids in splits.named().values():
            assert labels_of(corpus, ids) == set(corpus.classes)
        tested += splits.test
        utterances = list(corpus.utterances)
        random.shuffle(utterances)
        shuffled = Corpus(corpus.name, tuple(utterances), corpus.classes)
        assert split(shuffled, protocol, fold) == splits
    assert sorted(tested) == sorted(corpus.by_id())


@settings(max_examples=30, deadline=None)
@given(corpora(), st.integers(2, 4))
def test_without_speakers_folds_are_stratified_by_utterance(corpus: Corpus, folds: int) -> None:
    nameless = make_corpus(
        "made", (Utterance(u.utterance_id, u.path, u.target, None) for u in corpus.utterances)
    )
    tested: list[str] = []
    sizes = []
    for fold in range(1, folds + 1):
        splits = split(nameless, ProtocolSpec(folds=folds), fold, speaker_overlap="allowed")
        check(splits, nameless, overlap_allowed=True)
        assert labels_of(nameless, splits.train) == set(nameless.classes)
        assert splits.dev
        tested += splits.test
        sizes.append(len(splits.test))
    assert sorted(tested) == sorted(nameless.by_id())
    assert max(sizes) - min(sizes) <= 1


def test_emobox_folds_of_ravdess_are_those_of_its_metadata(ravdess: Corpus) -> None:
    root = ravdess.utterances[0].path.parent
    with (root / "metadata.csv").open() as file:
        expected = {Path(row["file"]).stem: int(row["fold"]) for row in csv.DictReader(file)}
    protocol = ProtocolSpec(folds="emobox", dev_speakers=4)
    found = {name: fold for fold in range(1, 7) for name in split(ravdess, protocol, fold).test}
    assert found == expected


def test_ravdess_folds_have_every_class_everywhere_and_a_dev_of_their_own(ravdess: Corpus) -> None:
    protocol = ProtocolSpec(folds="emobox", dev_speakers=4)
    devs = set()
    for fold in range(1, 7):
        splits = split(ravdess, protocol, fold)
        check(splits, ravdess)
        assert [len(ids) for ids in splits.named().values()] == [960, 240, 240]
        assert all(
            labels_of(ravdess, ids) == set(ravdess.classes) for ids in splits.named().values()
        )
        devs.add(splits.dev)
    assert len(devs) == 6


def test_folds_hold_like_numbers_of_utterances_and_classes(emodb: Corpus) -> None:
    for fold in range(1, 6):
        splits = split(emodb, ProtocolSpec(folds=5), fold)
        check(splits, emodb)
        assert 80 <= len(splits.test) <= 135  # of 535; its speakers have 35 to 71 utterances
        assert labels_of(emodb, splits.test) == set(emodb.classes)


def test_loso_tests_the_speakers_one_by_one_in_sorted_order() -> None:
    for number, speaker in enumerate(EVEN.speakers(), start=1):
        splits = split(EVEN, ProtocolSpec(folds="loso"), number)
        assert speakers_of(EVEN, splits.test) == {speaker}
    with pytest.raises(CorpusError, match="10 speakers, so no loso fold 11"):
        split(EVEN, ProtocolSpec(folds="loso"), 11)


def test_dev_is_a_fifth_of_the_train_speakers_unless_stated() -> None:
    assert len(speakers_of(EVEN, split(EVEN, ProtocolSpec(folds="loso"), 1).dev)) == 2
    stated = ProtocolSpec(folds="loso", dev_speakers=3)
    assert len(speakers_of(EVEN, split(EVEN, stated, 1).dev)) == 3


def test_dev_has_a_class_that_few_speakers_bring_and_leaves_it_in_train() -> None:
    counts: dict[str | None, dict[str, int]] = {f"s{n}": {"happy": 3, "sad": 2} for n in range(9)}
    for speaker in ("s1", "s4", "s7"):
        counts[speaker] = {"happy": 1, "sad": 1, "rare": 1}
    corpus = corpus_of(counts)
    for fold in range(1, 4):
        splits = split(corpus, ProtocolSpec(folds=3, dev_speakers=1), fold)
        assert "rare" in labels_of(corpus, splits.train)
        assert "rare" in labels_of(corpus, splits.dev)


def test_dev_never_takes_the_last_speaker_of_a_class() -> None:
    counts: dict[str | None, dict[str, int]] = {f"s{n}": {"happy": 3, "sad": 2} for n in range(5)}
    counts["s0"] = {"happy": 1, "rare": 9}
    corpus = corpus_of(counts)
    for fold in range(2, 6):
        splits = split(corpus, ProtocolSpec(folds="loso"), fold)
        assert "s0" in speakers_of(corpus, splits.train)


def test_a_class_that_train_lacks_is_told() -> None:
    counts: dict[str | None, dict[str, int]] = {f"s{n}": {"happy": 3, "sad": 2} for n in range(5)}
    counts["s0"]["rare"] = 2
    with pytest.raises(CorpusError, match="fold 1: train has no utterance of rare"):
        split(corpus_of(counts), ProtocolSpec(folds="loso"), 1)


def test_too_few_speakers_are_told_with_what_is_allowed() -> None:
    corpus = corpus_of({"a": {"happy": 2, "sad": 2}, "b": {"happy": 2, "sad": 2}})
    with pytest.raises(CorpusError, match="2 speakers, too few for 5"):
        split(corpus, ProtocolSpec(folds=5), 1)
    with pytest.raises(CorpusError, match="1 dev speakers leave none of the 1 for train"):
        split(corpus, ProtocolSpec(folds=2), 1)


def test_unknown_speakers_are_told_with_what_to_write() -> None:
    with pytest.raises(CorpusError, match="speaker_overlap: allowed"):
        split(corpus_of({None: {"happy": 9, "sad": 9}}), ProtocolSpec(folds=2), 1)
    with pytest.raises(CorpusError, match="leave dev_speakers out"):
        split(
            corpus_of({None: {"happy": 9, "sad": 9}}),
            ProtocolSpec(folds=2, dev_speakers=2),
            1,
            speaker_overlap="allowed",
        )


def test_folds_that_nobody_published_are_told_with_what_is_allowed() -> None:
    with pytest.raises(CorpusError, match=r"folds: emobox: .*allowed: a number of folds, loso"):
        split(EVEN, ProtocolSpec(folds="emobox"), 1)


def test_an_official_split_is_used_as_it_is() -> None:
    ids = {
        speaker: tuple(u.utterance_id for u in EVEN.utterances if u.speaker == speaker)
        for speaker in EVEN.speakers()
    }
    official = Splits(train=ids["s1"], dev=ids["s2"], test=ids["s3"])
    corpus = Corpus("made", EVEN.utterances, EVEN.classes, {"official": {1: official}})
    assert split(corpus, ProtocolSpec(folds="official"), 1) == official
    with pytest.raises(CorpusError, match="no official fold 2; allowed: 1"):
        split(corpus, ProtocolSpec(folds="official"), 2)
    gone = corpus.where(lambda u: u.speaker != "s3")
    with pytest.raises(CorpusError, match="test has no utterances"):
        split(gone, ProtocolSpec(folds="official"), 1)


def with_targets(targets: Callable[[int], Target | None]) -> Corpus:
    return make_corpus(
        "made",
        (replace(u, target=targets(number)) for number, u in enumerate(EVEN.utterances)),
    )


def test_numbers_are_split_by_speaker_too() -> None:
    corpus = with_targets(lambda number: number / 7)
    for fold in (1, 2, 3):
        splits = split(corpus, ProtocolSpec(folds=3), fold)
        by_id = corpus.by_id()
        speakers = [{by_id[name].speaker for name in ids} for ids in splits.named().values()]
        assert all(speakers)
        assert sum(map(len, speakers)) == len(set().union(*speakers)) == len(corpus.speakers())


def test_utterances_without_a_target_are_refused_by_name() -> None:
    corpus = with_targets(lambda number: None if number in (0, 3) else "sad")
    first, fourth = corpus.utterances[0].utterance_id, corpus.utterances[3].utterance_id
    with pytest.raises(CorpusError, match=f"2 utterances have no target.*: {first}, {fourth}"):
        split(corpus, ProtocolSpec(folds=3), 1)


def no_reading() -> Corpus:
    raise AssertionError("the card knows enough")


@pytest.mark.parametrize(
    ("folds", "count"), [(5, 5), ("emobox", 6), ("loso", 24)], ids=["k", "emobox", "loso"]
)
def test_folds_are_counted_from_the_card_where_it_knows(folds: int | str, count: int) -> None:
    protocol = ProtocolSpec.model_validate({"folds": folds})
    spec = CorpusSpec(name="ravdess")
    numbers = fold_numbers(protocol, spec, CORPORA["ravdess"], no_reading)
    assert numbers == tuple(range(1, count + 1))


def test_folds_are_counted_from_the_corpus_where_the_card_does_not_know() -> None:
    spec, card = CorpusSpec(name="made", kind="manifest"), CORPORA["manifest"]
    loso = ProtocolSpec(folds="loso")
    assert fold_numbers(loso, spec, card, lambda: EVEN) == tuple(range(1, 11))
    partial = CorpusSpec(name="ravdess", partial="allow")
    assert len(fold_numbers(loso, partial, CORPORA["ravdess"], lambda: EVEN)) == 10
    with pytest.raises(CorpusError, match="has no such folds"):
        fold_numbers(ProtocolSpec(folds="official"), spec, card, lambda: EVEN)


def test_only_some_folds_can_be_asked_for_but_none_that_is_not_there() -> None:
    spec, card = CorpusSpec(name="ravdess"), CORPORA["ravdess"]
    some = ProtocolSpec(folds="emobox", only_folds=(5, 2))
    assert fold_numbers(some, spec, card, no_reading) == (2, 5)
    strange = ProtocolSpec(folds="emobox", only_folds=(2, 9))
    with pytest.raises(CorpusError, match="has no fold 9; allowed: 1 to 6"):
        fold_numbers(strange, spec, card, no_reading)


def test_split_digests_differ_by_fold_and_not_by_order() -> None:
    one, two = (split(EVEN, ProtocolSpec(folds=5), fold) for fold in (1, 2))
    assert split_digest(one, EVEN) != split_digest(two, EVEN)
    assert split_digest(one, EVEN) == split_digest(Splits(one.train[::-1], one.dev, one.test), EVEN)
