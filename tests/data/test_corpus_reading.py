from __future__ import annotations

from pathlib import Path

import pytest

from harness.data.corpus_reading import read_corpus
from harness.data.label_mapping import map_labels
from harness.data.utterances import Utterance, make_corpus
from harness.errors import CorpusError
from harness.specs import CorpusSpec

NAMES = ("03-01-01-01-01-01-01", "03-01-03-01-01-01-02", "03-01-05-01-01-01-02")


def few(root: Path, names: tuple[str, ...] = NAMES) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for name in names:
        (root / f"{name}.wav").touch()
    return root


def test_a_corpus_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few(tmp_path / "ravdess")
    monkeypatch.setenv("HARNESS_CORPORA", str(tmp_path))
    corpus = read_corpus(CorpusSpec(name="ravdess", partial="allow"))
    assert [u.utterance_id for u in corpus.utterances] == sorted(NAMES)
    assert corpus.classes == ("angry", "happy", "neutral")


def test_a_missing_corpus_is_told_with_the_places_tried_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CORPORA", str(tmp_path))
    with pytest.raises(CorpusError) as caught:
        read_corpus(CorpusSpec(name="ravdess"))
    assert str(tmp_path / "ravdess") in str(caught.value)
    assert "harness prefetch --corpus ravdess" in str(caught.value)


def test_a_folder_variable_that_is_not_set_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARNESS_CORPORA", raising=False)
    with pytest.raises(CorpusError, match=r"\$HARNESS_CORPORA is not set"):
        read_corpus(CorpusSpec(name="ravdess"))


def test_an_unknown_corpus_gets_the_nearest_name() -> None:
    with pytest.raises(CorpusError, match="did you mean 'ravdess'"):
        read_corpus(CorpusSpec(name="ravdes"))


def test_half_a_corpus_is_refused_with_its_numbers(tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as caught:
        read_corpus(CorpusSpec(name="ravdess", root=str(few(tmp_path))))
    assert "3 of 1440" in str(caught.value)
    assert "partial: allow" in str(caught.value)
    assert "prefetch" in str(caught.value)


def test_an_empty_folder_is_refused_even_if_a_part_is_enough(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no recordings in"):
        read_corpus(CorpusSpec(name="ravdess", root=str(tmp_path), partial="allow"))


def test_the_same_utterance_in_two_places_is_refused(tmp_path: Path) -> None:
    few(tmp_path)
    few(tmp_path / "Actor_01", NAMES[:1])
    with pytest.raises(CorpusError, match=f"more than once: {NAMES[0]}"):
        read_corpus(CorpusSpec(name="ravdess", root=str(tmp_path), partial="allow"))


def labelled(root: Path, labels: dict[str, str | None]) -> CorpusSpec:
    return CorpusSpec(name="ravdess", root=str(few(root)), partial="allow", labels=labels)


def test_labels_are_mapped_merged_and_left_out_as_the_suite_says(tmp_path: Path) -> None:
    names = (*NAMES, "03-01-02-01-01-01-02")
    few(tmp_path, names)
    labels = {"neutral": "calm", "calm": "calm", "happy": "joy", "angry": None}
    corpus = read_corpus(labelled(tmp_path, labels))
    assert corpus.classes == ("calm", "joy")
    assert [u.target for u in corpus.utterances] == ["calm", "calm", "joy"]


def test_an_unnamed_label_and_one_that_never_occurs_are_told_together(tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as caught:
        read_corpus(labelled(tmp_path, {"neutral": "neutral", "hapy": "happy", "angry": None}))
    assert "'happy' (1)" in str(caught.value)
    assert "'hapy' never occurs: did you mean 'happy'?" in str(caught.value)


def test_mapping_labels_passes_over_targets_that_are_none() -> None:
    targets = ("happy", "sad", 0.5, None)
    corpus = make_corpus("mine", (Utterance(str(t), Path("a.wav"), t) for t in targets))
    assert map_labels(corpus, None) == corpus
    mapped = map_labels(corpus, {"happy": "joy", "sad": None})
    assert {u.target for u in mapped.utterances} == {"joy", 0.5, None}
    assert mapped.classes == ("joy",)
