from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from harness.data.corpora import CORPORA
from harness.data.corpus_reading import read_corpus
from harness.data.readers import ravdess
from harness.errors import CorpusError
from harness.specs import CorpusSpec

SPEC = CorpusSpec(name="ravdess")
IN_METADATA = {
    "anger": "angry",
    "fear": "fearful",
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprised",
}


def test_the_whole_corpus_is_listed_as_its_metadata_says(ravdess_root: Path) -> None:
    corpus = read_corpus(CorpusSpec(name="ravdess", root=str(ravdess_root)))
    with (ravdess_root / "metadata.csv").open() as file:
        expected = {
            Path(row["file"]).stem: (IN_METADATA.get(row["label"], row["label"]), row["speaker"])
            for row in csv.DictReader(file)
        }
    assert {u.utterance_id: (u.target, u.speaker) for u in corpus.utterances} == expected
    assert corpus.classes == CORPORA["ravdess"].classes
    assert len(corpus.utterances) == CORPORA["ravdess"].utterances
    assert len(corpus.speakers()) == CORPORA["ravdess"].speakers


def test_emobox_tests_every_actor_once() -> None:
    actors = Counter(actor for fold in ravdess.EMOBOX_TEST_ACTORS.values() for actor in fold)
    assert actors == Counter(f"{number:02}" for number in range(1, 25))


@pytest.mark.parametrize("folder", ["Actor_07", "."])
@pytest.mark.parametrize("suffix", ["wav", "flac", "WAV"])
def test_the_published_layout_and_a_flat_folder_are_read(
    tmp_path: Path, folder: str, suffix: str
) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / f"03-01-06-01-02-01-07.{suffix}").touch()
    (utterance,) = ravdess.read(tmp_path, SPEC).utterances
    assert utterance.utterance_id == "03-01-06-01-02-01-07"
    assert (utterance.target, utterance.speaker) == ("fearful", "07")
    assert (utterance.text, utterance.language) == ("Dogs are sitting by the door", "en")


def test_songs_and_files_that_are_not_audio_are_passed_over(tmp_path: Path) -> None:
    for name in ("03-02-06-01-02-01-07.wav", "metadata.csv", "._03-01-06-01-02-01-07.wav"):
        (tmp_path / name).touch()
    assert ravdess.read(tmp_path, SPEC).utterances == ()


def test_audio_under_a_foreign_name_is_named(tmp_path: Path) -> None:
    (tmp_path / "holiday.wav").touch()
    with pytest.raises(CorpusError, match=r"holiday\.wav"):
        ravdess.read(tmp_path, SPEC)
