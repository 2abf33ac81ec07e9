from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.data.readers import emobox
from harness.data.utterances import Corpus, Splits
from harness.errors import CorpusError
from harness.specs import CorpusSpec

NAMES = {"03a01Wa": "anger", "03a01Nc": "neutral", "08a01Wa": "anger", "08a01Na": "neutral"}


def line(name: str, label: str) -> str:
    return json.dumps(
        {
            "key": f"emodb-{name}",
            "dataset": "emodb",
            "wav": f"downloads/emodb/wav/{name}.wav",
            "type": "raw",
            "sample_rate": 16000,
            "num_frame": 30045.0,
            "task": "category",
            "length": 1.8778125,
            "emo": label,
            "channel": 1,
        }
    )


def lists(root: Path) -> Path:
    """Lists in EmoBox's layout, with two folds, and the recordings where the lists say."""
    folder = root / "data" / "emodb"
    names = list(NAMES)
    files = {"emodb.jsonl": names}
    for number, test in ((1, names[:2]), (2, names[2:])):
        train = [name for name in names if name not in test]
        files[f"fold_{number}/emodb_train_fold_{number}.jsonl"] = train
        files[f"fold_{number}/emodb_test_fold_{number}.jsonl"] = test
    for file, listed in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("\n".join(line(name, NAMES[name]) for name in listed) + "\n")
    (folder / "label_map.json").write_text('{"anger": "Angry", "Neutral": "Neutral"}')
    audio(root / "downloads" / "emodb" / "wav", ".wav")
    return root


def audio(folder: Path, suffix: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        (folder / f"{name}{suffix}").touch()
    return folder


def read(root: Path, **spec: object) -> Corpus:
    given = {"name": "emodb", "kind": "emobox", "speaker_overlap": "allowed", **spec}
    return emobox.read(root, CorpusSpec.model_validate(given))


def test_lists_folds_and_label_map_are_read_as_they_are(tmp_path: Path) -> None:
    corpus = read(lists(tmp_path))
    assert [u.utterance_id for u in corpus.utterances] == sorted(f"emodb-{n}" for n in NAMES)
    assert corpus.classes == ("Angry", "Neutral")  # "neutral" in the list, "Neutral" in the map
    assert corpus.published["emobox"][1] == Splits(
        train=("emodb-08a01Na", "emodb-08a01Wa"),
        dev=(),
        test=("emodb-03a01Nc", "emodb-03a01Wa"),
    )
    assert sorted(corpus.published["emobox"]) == [1, 2]


@pytest.mark.parametrize("below", ["emodb/wav", "wav", "."])
@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_recordings_are_found_under_shorter_paths_too(
    tmp_path: Path, below: str, suffix: str
) -> None:
    made = lists(tmp_path / "lists")
    audio(tmp_path / "mine" / below, suffix)
    manifest = str(made / "data" / "emodb" / "emodb.jsonl")
    corpus = read(tmp_path / "mine", manifest=manifest)
    assert all(u.path.is_file() and u.path.suffix == suffix for u in corpus.utterances)


def test_lists_without_speakers_need_the_suites_word_which_the_error_gives(tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as caught:
        read(lists(tmp_path), speaker_overlap="refused")
    assert "no speaker for 4 of 4" in str(caught.value)
    assert "`speaker_overlap: allowed`" in str(caught.value)


def test_missing_recordings_are_named_unless_a_part_is_enough(tmp_path: Path) -> None:
    root = lists(tmp_path)
    (root / "downloads" / "emodb" / "wav" / "08a01Wa.wav").unlink()
    with pytest.raises(CorpusError, match=r"1 of 4 recordings are missing.*08a01Wa\.wav"):
        read(root)
    assert len(read(root, partial="allow").utterances) == 3


def test_a_label_that_the_map_does_not_name_is_told(tmp_path: Path) -> None:
    root = lists(tmp_path)
    (root / "data" / "emodb" / "label_map.json").write_text('{"anger": "Angry"}')
    with pytest.raises(CorpusError, match=r"'neutral' \(2\)"):
        read(root)


def test_a_fold_that_lists_an_unknown_utterance_is_refused(tmp_path: Path) -> None:
    root = lists(tmp_path)
    file = root / "data" / "emodb" / "fold_2" / "emodb_test_fold_2.jsonl"
    file.write_text(line("99z99Xz", "anger"))
    with pytest.raises(CorpusError, match=r"fold_2.*emodb-99z99Xz"):
        read(root)


def test_a_fold_without_its_train_list_is_told(tmp_path: Path) -> None:
    root = lists(tmp_path)
    (root / "data" / "emodb" / "fold_2" / "emodb_train_fold_2.jsonl").unlink()
    with pytest.raises(CorpusError, match=r"no emodb_train_fold_2\.jsonl"):
        read(root)


def test_a_faulty_line_is_named(tmp_path: Path) -> None:
    root = lists(tmp_path)
    with (root / "data" / "emodb" / "emodb.jsonl").open("a") as file:
        file.write('{"key": "emodb-x"}\n')
    with pytest.raises(CorpusError, match="line 5: wav is missing"):
        read(root)


@pytest.mark.parametrize("video", [".avi", ".mp4"])
def test_the_sound_beside_a_video_that_is_listed_is_found(tmp_path: Path, video: str) -> None:
    root = lists(tmp_path)
    for file in (root / "data").rglob("*.jsonl"):
        file.write_text(file.read_text().replace(".wav", video))
    for name in NAMES:
        (root / "downloads" / "emodb" / "wav" / f"{name}{video}").touch()
    assert {u.path.suffix for u in read(root).utterances} == {".wav"}


def test_a_label_map_under_its_other_name_is_read(tmp_path: Path) -> None:
    folder = lists(tmp_path) / "data" / "emodb"
    (folder / "label_map.json").rename(folder / "label_dict.json")
    assert read(tmp_path).classes == ("Angry", "Neutral")


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("labels.json",), "which of these names the labels of emodb.jsonl: labels.json"),
        (("emotion_map.json",), "which of these names the labels of emodb.jsonl: emotion_map.json"),
        (("label_map.yaml",), "labels of emodb.jsonl: label_map.yaml"),
        (("LABEL_MAP.JSON",), "labels of emodb.jsonl: LABEL_MAP.JSON"),
        (("label_dict.json", "label_map.json"), "label_dict.json, label_map.json"),
    ],
)
def test_label_maps_that_may_not_be_the_one_are_named(
    tmp_path: Path, names: tuple[str, ...], told: str
) -> None:
    folder = lists(tmp_path) / "data" / "emodb"
    text = (folder / "label_map.json").read_text()
    (folder / "label_map.json").unlink()
    for name in names:
        (folder / name).write_text(text)
    with pytest.raises(CorpusError, match=told):
        read(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"anger": "Angry", "Anger": "Rage", "neutral": "x"}', "'Anger' is named 'Rage'"),
        ('{"anger": "Angry", "anger": "Rage"}', "'anger' stands there twice"),
        ('{"anger": null, "neutral": "x"}', "'anger' must be named by a text, found None"),
        ('{"anger": 1, "neutral": "x"}', "'anger' must be named by a text, found 1"),
    ],
)
def test_a_label_map_that_says_two_things_or_nothing_is_refused(
    tmp_path: Path, text: str, told: str
) -> None:
    (lists(tmp_path) / "data" / "emodb" / "label_map.json").write_text(text)
    with pytest.raises(CorpusError, match=told):
        read(tmp_path)


def test_labels_that_differ_in_case_may_have_one_name(tmp_path: Path) -> None:
    text = '{"anger": "Angry", "Anger": "Angry", "neutral": "Neutral"}'
    (lists(tmp_path) / "data" / "emodb" / "label_map.json").write_text(text)
    assert read(tmp_path).classes == ("Angry", "Neutral")
