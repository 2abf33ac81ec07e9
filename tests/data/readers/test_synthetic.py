from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import stft
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from harness.data import audio
from harness.data.corpora import CORPORA
from harness.data.corpus_reading import read_corpus
from harness.data.readers.synthetic import synthesise
from harness.data.utterances import Corpus
from harness.files import file_digest
from harness.specs import CorpusSpec

SPEC = CorpusSpec(name="synthetic")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("cache")))
        return read_corpus(SPEC)


def test_it_is_as_its_card_says(corpus: Corpus) -> None:
    card = CORPORA["synthetic"]
    assert (len(corpus.utterances), len(corpus.speakers())) == (card.utterances, card.speakers)
    assert corpus.classes == card.classes
    groups = Counter((u.speaker, u.target) for u in corpus.utterances)
    assert set(groups.values()) == {8}


def test_utterances_are_about_a_second_long_and_audible(corpus: Corpus) -> None:
    for utterance in corpus.utterances:
        info = soundfile.info(utterance.path)
        assert (info.samplerate, info.channels) == (audio.SAMPLE_RATE_HZ, 1)
        assert 0.8 <= info.duration <= 1.8
        assert np.abs(audio.read(utterance)).max() > 0.02


def test_no_two_utterances_are_alike(corpus: Corpus) -> None:
    digests = {file_digest(utterance.path) for utterance in corpus.utterances}
    assert len(digests) == len(corpus.utterances)


def test_the_sound_is_the_same_every_time(corpus: Corpus) -> None:
    np.testing.assert_array_equal(synthesise("s3", "sad", 2), synthesise("s3", "sad", 2))
    stored = next(u for u in corpus.utterances if u.utterance_id == "s3-sad-2")
    np.testing.assert_allclose(audio.read(stored), synthesise("s3", "sad", 2), atol=2**-15)


def test_a_file_that_is_there_is_kept_and_one_that_is_gone_is_made_again(corpus: Corpus) -> None:
    first, second = corpus.utterances[:2]
    digest, changed = file_digest(first.path), second.path.stat().st_mtime_ns
    first.path.unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(first.path.parents[1]))
        assert read_corpus(SPEC) == corpus
    assert file_digest(first.path) == digest
    assert second.path.stat().st_mtime_ns == changed


def test_a_home_that_cannot_be_written_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "file" / "below"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "tmp"))
    corpus = read_corpus(SPEC)
    assert all(u.path.is_relative_to(tmp_path / "tmp") for u in corpus.utterances)


def test_emotion_can_be_learnt_from_other_speakers_but_not_by_heart(corpus: Corpus) -> None:
    spectra = np.array([band_statistics(audio.read(u)) for u in corpus.utterances])
    labels = [u.target for u in corpus.utterances]
    speakers = [u.speaker for u in corpus.utterances]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2_000))
    accuracy = cross_val_score(model, spectra, labels, groups=speakers, cv=GroupKFold(4)).mean()
    assert 0.5 < accuracy < 0.95  # chance is 0.25


def band_statistics(wave: np.ndarray) -> np.ndarray:
    """Mean and spread over time of 40 log-energies, of the waveform at unit variance."""
    power = np.abs(stft(wave / wave.std(), audio.SAMPLE_RATE_HZ, nperseg=400)[2]) ** 2
    bands = np.log(power[:200].reshape(40, 5, -1).mean(axis=1) + 1e-6)
    return np.concatenate([bands.mean(axis=1), bands.std(axis=1)])
