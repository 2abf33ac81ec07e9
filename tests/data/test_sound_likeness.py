"""Copies that were written anew are known by their envelopes, and other recordings are not."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from harness.data.audio import Samples, decode, mixed_down
from harness.data.audio_info import inspect_audio, same_sound
from harness.data.readers import synthetic
from harness.data.sound_likeness import alike, envelope_of
from harness.data.utterances import Utterance, make_corpus

RATE_HZ = 16_000
TAKES = [("s2", "sad", 1), ("s2", "sad", 3), ("s1", "happy", 1), ("s5", "angry", 3)]


def written(samples: Samples, rate_hz: int, **how: str) -> Samples:
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, **how)
    file.seek(0)
    found: Samples = soundfile.read(file, dtype="float32")[0]
    return found


ANEW: dict[str, Callable[[Samples, int], Samples]] = {
    "vorbis": lambda x, rate: written(x, rate, format="OGG", subtype="VORBIS"),
    "mp3": lambda x, rate: written(x, rate, format="MP3"),
    "u-law": lambda x, rate: written(x, rate, format="WAV", subtype="ULAW"),
    "gain": lambda x, rate: 0.3 * x,
    "a sample more": lambda x, rate: np.append(x, x[-1:]),
    "a constant": lambda x, rate: x + np.float32(0.02),
}


def made(speaker: str, emotion: str, take: int) -> Samples:
    samples: Samples = synthetic.synthesise(speaker, emotion, take).astype(np.float32)
    return samples


def are_alike(one: Samples, other: Samples, rate_hz: int = RATE_HZ) -> bool:
    packed = [envelope_of(one, rate_hz), envelope_of(other, rate_hz)]
    assert None not in packed
    lengths = [len(one) / rate_hz, len(other) / rate_hz]
    return list(alike([str(each) for each in packed], lengths)) in ([(0, 1)], [(1, 0)])


@pytest.mark.parametrize("how", ANEW)
@pytest.mark.parametrize("take", TAKES)
def test_a_copy_that_was_written_anew_is_known(how: str, take: tuple[str, str, int]) -> None:
    sound = made(*take)
    assert are_alike(sound, ANEW[how](sound, RATE_HZ))


def test_another_rate_that_keeps_what_is_loud_changes_nothing() -> None:
    sound = made(*TAKES[0])
    upsampled = soxr.resample(sound, RATE_HZ, 44_100)
    packed = [str(envelope_of(sound, RATE_HZ)), str(envelope_of(upsampled, 44_100))]
    assert list(alike(packed, [1.0, 1.0])) == [(0, 1)]


def test_takes_of_one_speaker_and_emotion_are_not_copies() -> None:
    assert not are_alike(made("s2", "sad", 1), made("s2", "sad", 3))


def test_sounds_of_other_lengths_are_not_compared() -> None:
    packed = [str(envelope_of(made(*TAKES[0]), RATE_HZ))] * 3
    assert list(alike(packed, [1.0, 1.2, 1.05])) == [(0, 2)]


def test_noise_tones_silence_and_short_sounds_have_no_shape() -> None:
    noise = np.random.default_rng(0).normal(size=2 * RATE_HZ).astype(np.float32)
    tone = np.sin(np.arange(2 * RATE_HZ, dtype=np.float32) / 10)
    padded = np.pad(made(*TAKES[0]), (0, 3 * RATE_HZ))
    for sound in (
        padded,
        noise,
        tone,
        np.zeros_like(tone),
        np.ones_like(tone),
        made(*TAKES[0])[:8_000],
    ):
        assert envelope_of(sound, RATE_HZ) is None


def test_many_sounds_are_compared_as_a_few_are() -> None:
    """More than a block of them, in no order of length."""
    generator = np.random.default_rng(1)
    shapes = np.abs(generator.normal(size=(2_500, 96))).repeat(200, axis=1)
    sounds = (shapes * generator.normal(size=(1, shapes.shape[1]))).astype(np.float32)
    packed = [str(envelope_of(sound, RATE_HZ)) for sound in [*sounds, sounds[3], sounds[2_400]]]
    lengths = generator.uniform(1.0, 5.0, len(packed))
    lengths[2_500], lengths[2_501] = lengths[3] + 0.05, lengths[2_400] - 0.05
    assert {frozenset(pair) for pair in alike(packed, list(lengths))} == {
        frozenset((3, 2_500)), frozenset((2_400, 2_501)),
    }  # fmt: skip


def test_copies_are_found_in_a_corpus_whatever_their_container(tmp_path: Path) -> None:
    sound, other = made("s2", "sad", 1), made("s1", "happy", 1)
    soundfile.write(tmp_path / "a.wav", sound, RATE_HZ)
    soundfile.write(tmp_path / "b.flac", np.stack([sound, sound], 1), RATE_HZ)
    soundfile.write(tmp_path / "c.ogg", sound, RATE_HZ)
    soundfile.write(tmp_path / "d.wav", np.append(sound, 0.0), RATE_HZ)
    soundfile.write(tmp_path / "e.wav", other, RATE_HZ)
    files = sorted(tmp_path.iterdir())
    corpus = make_corpus("mine", (Utterance(f.stem, f, "sad", f.stem) for f in files))
    assert same_sound(inspect_audio(corpus)) == [["a", "b", "c", "d"]]


@pytest.mark.slow
def test_of_the_real_recordings_only_the_known_copy_is_taken_for_one(ravdess_root: Path) -> None:
    files = sorted(ravdess_root.rglob("03-01-0[1-4]-*.flac"))
    found = [(mixed_down(samples), rate_hz) for samples, rate_hz in map(decode, files)]
    packed = [str(envelope_of(heard, rate_hz)) for heard, rate_hz in found]
    lengths = [len(heard) / rate_hz for heard, rate_hz in found]
    pairs = {frozenset((files[i].stem, files[j].stem)) for i, j in alike(packed, lengths)}
    assert pairs == {frozenset(("03-01-03-01-02-01-07", "03-01-03-01-02-02-07"))}
    sample = range(0, len(files), 40)
    for place in sample:
        heard, rate_hz = found[place]
        for how in set(ANEW) - {"u-law"}:  # which leaves nothing of RAVDESS's quietest
            assert are_alike(heard, ANEW[how](heard, rate_hz), rate_hz), (files[place], how)
