from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from harness.data.readers import manifest
from harness.data.utterances import Corpus
from harness.errors import CorpusError
from harness.specs import CorpusSpec

ROWS = [
    {"file": "a.wav", "label": "happy", "speaker": "1", "text": "Oh, really?"},
    {"file": "b/c.wav", "label": "sad", "speaker": "2", "start_s": "0.5", "end_s": "1.5"},
]


def with_files(root: Path, rows: list[dict[str, str]]) -> Path:
    for row in rows:
        path = root / row["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def as_csv(rows: list[dict[str, str]]) -> str:
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write(root: Path, rows: list[dict[str, str]], suffix: str) -> None:
    path = root / f"manifest{suffix}"
    if suffix == ".csv":
        path.write_text(as_csv(rows), encoding="utf-8-sig")
    elif suffix == ".jsonl":
        path.write_text("\n\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    else:
        columns = list(dict.fromkeys(name for row in rows for name in row))
        parquet.write_table(pa.table({c: [row.get(c) for row in rows] for c in columns}), path)


def read(root: Path, **spec: object) -> Corpus:
    return manifest.read(root, CorpusSpec.model_validate({"name": "mine", **spec}))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_every_kind_of_list_says_the_same(tmp_path: Path, suffix: str) -> None:
    write(with_files(tmp_path, ROWS), ROWS, suffix)
    first, second = read(tmp_path).utterances
    assert (first.utterance_id, first.target, first.speaker) == ("a", "happy", "1")
    assert (first.path, first.text) == (tmp_path / "a.wav", "Oh, really?")
    assert (second.utterance_id, second.start_s, second.end_s) == ("b/c@0.5-1.5", 0.5, 1.5)


NUMBERED = [
    {"file": "a.wav", "target": "0.5", "speaker": "1"},
    {"file": "b.wav", "target": "-2e-1", "speaker": "2"},
]


def test_without_labels_a_column_of_numbers_is_the_target(tmp_path: Path) -> None:
    write(with_files(tmp_path, NUMBERED), NUMBERED, ".csv")
    corpus = read(tmp_path)
    assert [u.target for u in corpus.utterances] == [0.5, -0.2]
    assert corpus.classes == ()


def test_beside_labels_a_column_of_that_name_is_passed_over(tmp_path: Path) -> None:
    rows = [{**row, "target": "left"} for row in ROWS]
    write(with_files(tmp_path, rows), rows, ".csv")
    assert read(tmp_path).classes == ("happy", "sad")


@pytest.mark.parametrize(
    ("target", "mistake"),
    [("", "target is empty"), ("loud", "target must be a number, found 'loud'")],
)
def test_a_target_that_is_no_number_is_told(tmp_path: Path, target: str, mistake: str) -> None:
    rows = [NUMBERED[0], {**NUMBERED[1], "target": target}]
    write(with_files(tmp_path, rows), rows, ".csv")
    with pytest.raises(CorpusError, match=f"line 3: {mistake}"):
        read(tmp_path)


def test_numbers_in_a_typed_list_are_taken_as_names(tmp_path: Path) -> None:
    with_files(tmp_path, ROWS)
    rows = [{**row, "speaker": number} for number, row in enumerate(ROWS)]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "manifest.parquet")
    assert read(tmp_path).speakers() == ("0", "1")


def test_every_bad_row_is_named_with_its_line_all_at_once(tmp_path: Path) -> None:
    with_files(tmp_path, ROWS)
    (tmp_path / "manifest.csv").write_text(
        "file,label,speaker,utterance_id,start_s,end_s,split,fold\n"
        "a.wav,happy,1,one,,,train,1\n"
        "gone.wav,happy,1,two,,,train,1\n"
        "a.wav,,1,three,,,train,1\n"
        "a.wav,happy,,four,,,train,1\n"
        "a.wav,happy,1,five,2,1,train,1\n"
        "a.wav,happy,1,six,soon,,eval,1.5\n"
        "a.wav,happy,1,one,,,,1\n"
        "a.wav,happy,1,eight,,,test,1,and more\n"
    )
    with pytest.raises(CorpusError) as caught:
        read(tmp_path)
    message = str(caught.value)
    for told in (
        "line 3: file 'gone.wav' does not exist",
        "line 4: label is empty",
        "line 5: speaker is empty",
        "line 6: end 1 s does not lie after start 2 s",
        "line 7: start_s must be a number of seconds, found 'soon'",
        "line 7: split (allowed: train, dev, test), found 'eval'",
        "line 7: fold must be a whole number from 1, found '1.5'",
        "line 8: utterance 'one' is already listed on line 2",
        "line 8: split is empty, though other rows have one",
        "line 9: has 1 cells too many",
    ):
        assert told in message


def test_a_faulty_json_line_is_named(tmp_path: Path) -> None:
    with_files(tmp_path, ROWS)
    good = json.dumps(ROWS[0])
    nested = json.dumps({**ROWS[1], "label": ["sad"]})
    (tmp_path / "manifest.jsonl").write_text(f"{good}\n{{\n{nested}\n[]\n")
    with pytest.raises(CorpusError) as caught:
        read(tmp_path)
    assert "line 2: is not JSON" in str(caught.value)
    assert "line 3: label must be text or a number" in str(caught.value)
    assert "line 4: is not a JSON object" in str(caught.value)


def test_columns_of_other_purposes_may_hold_anything(tmp_path: Path) -> None:
    with_files(tmp_path, ROWS)
    rows = [json.dumps({**row, "annotators": ["x", "y"], "checked": True}) for row in ROWS]
    (tmp_path / "manifest.jsonl").write_text("\n".join(rows))
    assert len(read(tmp_path).utterances) == 2


def test_a_list_that_is_no_list_at_all_is_told_by_its_lines(tmp_path: Path) -> None:
    (tmp_path / "manifest.jsonl").write_text("these\nare words\n")
    with pytest.raises(CorpusError, match="line 1: is not JSON"):
        read(tmp_path)


def test_a_missing_column_gets_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("file,label,speker\na.wav,happy,1\n")
    with pytest.raises(CorpusError, match="no column 'speaker': did you mean 'speker'"):
        read(tmp_path)


def test_speakers_may_be_unknown_only_if_the_suite_says_so(tmp_path: Path) -> None:
    rows = [{"file": row["file"], "label": row["label"]} for row in ROWS]
    write(with_files(tmp_path, rows), rows, ".csv")
    with pytest.raises(CorpusError, match="speaker_overlap: allowed"):
        read(tmp_path)
    assert read(tmp_path, speaker_overlap="allowed").speakers() == ()


def test_a_split_column_is_one_official_fold(tmp_path: Path) -> None:
    splits = ("train", "test")
    rows = [{**row, "split": split, "fold": "3"} for row, split in zip(ROWS, splits, strict=True)]
    write(with_files(tmp_path, rows), rows, ".csv")
    (fold,) = read(tmp_path).published["official"].values()
    assert (fold.train, fold.dev, fold.test) == (("a",), (), ("b/c@0.5-1.5",))


def test_a_fold_column_numbers_the_fold_an_utterance_is_tested_in(tmp_path: Path) -> None:
    rows = [{**row, "fold": fold} for row, fold in zip(ROWS, ("1", "2"), strict=True)]
    write(with_files(tmp_path, rows), rows, ".csv")
    official = read(tmp_path).published["official"]
    assert {number: fold.test for number, fold in official.items()} == {
        1: ("a",),
        2: ("b/c@0.5-1.5",),
    }


def test_a_list_may_lie_elsewhere_than_the_recordings(tmp_path: Path) -> None:
    root = with_files(tmp_path / "audio", ROWS)
    (tmp_path / "lists").mkdir()
    write(tmp_path / "lists", ROWS, ".csv")
    corpus = read(root, manifest=str(tmp_path / "lists" / "manifest.csv"))
    assert len(corpus.utterances) == 2


def test_a_list_that_is_not_there_is_told_with_the_places_tried(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"looked for.*manifest\.parquet.*`manifest:`"):
        read(tmp_path)


def test_a_list_in_another_encoding_or_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_bytes(b"file,label,speaker\n\xff\xfe,a,b\n")
    with pytest.raises(CorpusError, match="cannot be read"):
        read(tmp_path)
    (tmp_path / "manifest.csv").write_text("file,label,speaker\n")
    with pytest.raises(CorpusError, match="holds no rows"):
        read(tmp_path)


def test_the_real_metadata_is_a_manifest(ravdess_root: Path) -> None:
    corpus = read(ravdess_root, manifest="metadata.csv")
    assert len(corpus.utterances) == 1440
    assert len(corpus.published["official"]) == 6


words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(words, words, words), min_size=1, max_size=8, unique_by=lambda r: r[0]))
def test_whatever_is_written_is_read_back(rows: list[tuple[str, str, str]]) -> None:
    listed = [
        {"file": "a.wav", "utterance_id": name, "label": label, "speaker": speaker}
        for name, label, speaker in rows
    ]
    with tempfile.TemporaryDirectory() as folder:
        root = with_files(Path(folder), listed)
        corpora = []
        for suffix in (".csv", ".jsonl", ".parquet"):
            write(root, listed, suffix)
            corpora.append(read(root, manifest=f"manifest{suffix}"))
    found = {(u.utterance_id, u.target, u.speaker) for u in corpora[0].utterances}
    assert found == set(rows)
    assert corpora[0] == corpora[1] == corpora[2]


@pytest.mark.parametrize(("listed", "on_disk"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_files_are_found_whichever_way_their_accents_are_written(
    tmp_path: Path, listed: Any, on_disk: Any
) -> None:
    (tmp_path / normalize(on_disk, "Jürgen")).mkdir()
    (tmp_path / normalize(on_disk, "Jürgen/é.wav")).touch()
    name = normalize(listed, "Jürgen/é.wav")
    (tmp_path / "manifest.csv").write_text(f"file,label,speaker\n{name},sad,1\n", encoding="utf-8")
    (utterance,) = read(tmp_path).utterances
    assert utterance.path.is_file()


@pytest.mark.parametrize("name", ["valid", "Validation", "val", "dev", "development"])
def test_dev_is_known_by_its_other_names(tmp_path: Path, name: str) -> None:
    rows = [
        {"file": f"{n}.wav", "label": "sad", "speaker": str(n), "split": split}
        for n, split in enumerate(("train", name, "test"))
    ]
    write(with_files(tmp_path, rows), rows, ".csv")
    assert read(tmp_path).published["official"][1].dev == ("1",)


def test_an_ignored_column_is_as_good_as_absent(tmp_path: Path) -> None:
    rows = [{"file": "a.wav", "label": "sad", "speaker": "1", "split": "x", "start_s": "later"}]
    write(with_files(tmp_path, rows), rows, ".csv")
    with pytest.raises(CorpusError, match="split"):
        read(tmp_path)
    (utterance,) = read(tmp_path, ignore_columns=["split", "start_s"]).utterances
    assert utterance.start_s is None
