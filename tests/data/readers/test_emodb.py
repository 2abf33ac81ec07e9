from __future__ import annotations

from collections import Counter
from pathlib import Path

from harness.data.corpora import CORPORA
from harness.data.corpus_reading import read_corpus
from harness.data.readers import emodb
from harness.specs import CorpusSpec


def test_the_whole_corpus_is_listed_under_any_name(emodb_root: Path) -> None:
    spec = CorpusSpec(name="emodb_first2s", kind="emodb", root=str(emodb_root))
    corpus = read_corpus(spec)
    assert corpus.name == "emodb_first2s"
    assert corpus.classes == CORPORA["emodb"].classes
    assert len(corpus.speakers()) == CORPORA["emodb"].speakers
    assert Counter(u.target for u in corpus.utterances) == {
        "anger": 127,
        "boredom": 81,
        "disgust": 46,
        "fear": 69,
        "happiness": 71,
        "sadness": 62,
        "neutral": 79,
    }


def test_the_published_layout_is_read(tmp_path: Path) -> None:
    (tmp_path / "wav").mkdir()
    (tmp_path / "wav" / "03a01Fa.wav").touch()
    (utterance,) = emodb.read(tmp_path, CorpusSpec(name="emodb")).utterances
    assert (utterance.utterance_id, utterance.target) == ("03a01Fa", "happiness")
    assert (utterance.speaker, utterance.language) == ("03", "de")
    assert utterance.text == "Der Lappen liegt auf dem Eisschrank."
