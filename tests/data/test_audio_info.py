from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.data import audio_info
from harness.data.audio_info import audio_digest, inspect_audio
from harness.data.corpus_reading import read_corpus
from harness.data.utterances import Corpus, Utterance, make_corpus
from harness.specs import CorpusSpec

WriteAudio = Callable[..., Path]


def corpus_of(*paths: Path) -> Corpus:
    return make_corpus("mine", (Utterance(path.name, path, "happy", "s") for path in paths))


def test_length_peak_and_digest_are_told(write_audio: WriteAudio) -> None:
    (found,) = inspect_audio(corpus_of(write_audio("a.wav", duration_s=0.5, gain=0.25)))
    assert found.duration_s == 0.5
    assert found.peak == pytest.approx(0.25, abs=1e-3)
    assert found.error is None


def test_the_same_sound_has_the_same_digest_in_wav_and_in_flac(write_audio: WriteAudio) -> None:
    paths = [write_audio(f"{n}.{s}", seed=n) for n in (1, 2) for s in ("wav", "flac")]
    digests = [found.sha256 for found in inspect_audio(corpus_of(*paths))]
    assert digests[0] == digests[1]
    assert digests[2] == digests[3] != digests[0]


def test_a_segment_has_audio_info_of_its_own(write_audio: WriteAudio) -> None:
    whole = corpus_of(write_audio("a.wav")).utterances[0]
    part = replace(whole, utterance_id="part", start_s=0.1, end_s=0.3)
    first, second = inspect_audio(make_corpus("mine", [whole, part]))
    assert second.duration_s == pytest.approx(0.2)
    assert first.sha256 != second.sha256


def test_what_cannot_be_decoded_is_told_and_the_others_go_on(
    write_audio: WriteAudio, tmp_path: Path
) -> None:
    (tmp_path / "b.wav").write_text("words")
    paths = (write_audio("a.wav"), tmp_path / "b.wav", tmp_path / "gone.wav")
    good, bad, gone = inspect_audio(corpus_of(*paths))
    assert good.error is None
    assert "cannot be decoded" in str(bad.error)
    assert "no such file" in str(gone.error)


def test_a_second_look_decodes_nothing_until_a_file_changes(
    write_audio: WriteAudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []
    decode = audio_info.decode

    def watched(path: Path, start_s: float | None, end_s: float | None) -> tuple[np.ndarray, int]:
        decoded.append(path.name)
        return decode(path, start_s, end_s)

    monkeypatch.setattr(audio_info, "decode", watched)
    corpus = corpus_of(write_audio("a.wav"), write_audio("b.wav"))
    first = inspect_audio(corpus, tmp_path / "cache")
    assert sorted(decoded) == ["a.wav", "b.wav"]
    assert inspect_audio(corpus, tmp_path / "cache") == first
    assert sorted(decoded) == ["a.wav", "b.wav"]
    soundfile.write(corpus.utterances[1].path, np.full(9_000, 0.5), 16_000)
    assert inspect_audio(corpus, tmp_path / "cache")[1].peak == 0.5
    assert decoded[2:] == ["b.wav"]


def test_other_sound_of_the_same_size_and_time_of_change_is_looked_at_anew(
    write_audio: WriteAudio, tmp_path: Path
) -> None:
    path = write_audio("a.wav")
    corpus, state = corpus_of(path), path.stat()
    (first,) = inspect_audio(corpus, tmp_path / "cache")
    samples, rate_hz = soundfile.read(path, dtype="int16")
    soundfile.write(path, samples[::-1], rate_hz)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (state.st_size, state.st_mtime_ns)
    assert inspect_audio(corpus, tmp_path / "cache")[0].sha256 != first.sha256


def test_a_recording_that_was_cut_in_half_is_not_taken_for_a_short_one(
    write_audio: WriteAudio,
) -> None:
    path = write_audio("a.wav")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (found,) = inspect_audio(corpus_of(path))
    assert "is cut off, its header announces" in str(found.error)
    assert found.duration_s is None


def test_a_damaged_cache_is_as_good_as_none(write_audio: WriteAudio, tmp_path: Path) -> None:
    corpus = corpus_of(write_audio("a.wav"))
    expected = inspect_audio(corpus)
    for damage in ("", "[]", '{"format": 0, "audio_info": {}}', '{"format": 1}'):
        (tmp_path / "mine.json").write_text(damage)
        assert inspect_audio(corpus, tmp_path) == expected


def test_progress_is_told_for_each_utterance(write_audio: WriteAudio) -> None:
    told: list[tuple[int, int]] = []
    corpus = corpus_of(write_audio("a.wav"), write_audio("b.wav"))
    inspect_audio(corpus, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


def test_the_digest_follows_the_sound_of_the_utterances_used_alone(write_audio: WriteAudio) -> None:
    found = inspect_audio(
        corpus_of(write_audio("a.wav"), write_audio("b.wav"), write_audio("c.wav"))
    )
    used = ["a.wav", "b.wav"]
    assert audio_digest(found, used) == audio_digest(reversed(found), reversed(used))
    assert audio_digest(found, used) != audio_digest(found, ["a.wav", "c.wav"])
    assert audio_digest(found[:2], used) == audio_digest(found, used)


def test_ravdess_has_1439_distinct_recordings(ravdess_root: Path) -> None:
    found = inspect_audio(read_corpus(CorpusSpec(name="ravdess", root=str(ravdess_root))))
    by_digest: dict[str | None, list[str]] = {}
    for info in found:
        by_digest.setdefault(info.sha256, []).append(info.utterance_id)
    assert len(by_digest) == 1439
    assert ["03-01-03-01-02-01-07", "03-01-03-01-02-02-07"] in by_digest.values()
