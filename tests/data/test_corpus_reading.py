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


def manifest(root: Path, text: str, **spec: object) -> CorpusSpec:
    (root / "manifest.csv").write_text(text, encoding="utf-8")
    for row in text.splitlines()[1:]:
        (root / row.partition(",")[0]).touch()
    return CorpusSpec.model_validate(
        {"name": "mine", "kind": "manifest", "root": str(root), **spec}
    )


def test_one_speaker_or_label_in_two_spellings_is_one(tmp_path: Path) -> None:
    rows = "a.wav,fr\u00f6hlich,J\u00fcrgen\nb.wav,fro\u0308hlich,Ju\u0308rgen\n"
    rows += "c.wav,1,1\nd.wav,1.0,1.0\n"
    corpus = read_corpus(manifest(tmp_path, "file,label,speaker\n" + rows))
    assert corpus.speakers() == ("1", "J\u00fcrgen")
    assert corpus.classes == ("1", "fr\u00f6hlich")


def test_the_suite_may_spell_a_label_its_own_way_but_not_two_ways(tmp_path: Path) -> None:
    text = "file,label,speaker\na.wav,fr\u00f6hlich,1\n"
    spec = manifest(tmp_path, text, labels={"fro\u0308hlich": "happy"})
    assert read_corpus(spec).classes == ("happy",)
    spec = manifest(tmp_path, text, labels={"fro\u0308hlich": "happy", "fr\u00f6hlich": "glad"})
    with pytest.raises(CorpusError, match="is given two classes, 'happy' and 'glad'"):
        read_corpus(spec)


def test_labels_that_are_missing_need_a_word_of_the_suite(tmp_path: Path) -> None:
    text = "file,label,speaker\na.wav,sad,1\nb.wav,nan,2\n"
    with pytest.raises(CorpusError, match="class 'nan' looks like a value that is missing"):
        read_corpus(manifest(tmp_path, text))
    assert read_corpus(manifest(tmp_path, text, labels={"sad": "sad", "nan": None})).classes == (
        "sad",
    )


def test_labels_that_differ_in_case_alone_are_refused_unless_the_suite_joins_them(
    tmp_path: Path,
) -> None:
    text = "file,label,speaker\na.wav,sad,1\nb.wav,Sad,2\n"
    with pytest.raises(CorpusError, match="classes 'Sad' and 'sad' differ in case"):
        read_corpus(manifest(tmp_path, text))
    assert read_corpus(manifest(tmp_path, text, labels={"sad": "s", "Sad": "s"})).classes == ("s",)


def test_one_file_as_several_whole_utterances_lacks_their_times(tmp_path: Path) -> None:
    text = "file,label,speaker,utterance_id{}\na.wav,sad,1,one{}\na.wav,happy,1,two{}\n"
    with pytest.raises(CorpusError, match=r"whole of one file: a\.wav; .* begins and ends"):
        read_corpus(manifest(tmp_path, text.format("", "", "")))
    spec = manifest(tmp_path, text.format(",start_s,end_s", ",0,1", ",1,2"))
    assert len(read_corpus(spec).utterances) == 2
