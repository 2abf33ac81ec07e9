from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.data import audio
from harness.data.utterances import Utterance
from harness.errors import CorpusError


def sine(hertz: float, rate_hz: int, duration_s: float = 1.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(duration_s * rate_hz)) / rate_hz)


def test_a_16_khz_mono_file_is_given_back_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    samples = sine(440, 16_000).astype(np.float32)
    soundfile.write(path, samples, 16_000, subtype="FLOAT")
    read = audio.read_file(path)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, samples)


def test_channels_are_averaged(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    left, right = sine(440, 16_000), -sine(440, 16_000)
    soundfile.write(path, np.stack([left, right], axis=1), 16_000, subtype="FLOAT")
    assert np.abs(audio.read_file(path)).max() < 1e-6


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000])
def test_any_rate_becomes_16_khz_with_the_same_tone(tmp_path: Path, rate_hz: int) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, sine(1_000, rate_hz), rate_hz)
    read = audio.read_file(path)
    assert len(read) == 16_000
    middle = slice(2_000, 14_000)  # the ends ring
    np.testing.assert_allclose(read[middle], sine(1_000, 16_000)[middle], atol=2e-3)


def test_what_16_khz_cannot_hold_is_filtered_out_not_folded_back(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, sine(15_000, 48_000), 48_000, subtype="FLOAT")
    assert np.abs(audio.read_file(path)[2_000:14_000]).max() < 1e-3


def test_a_segment_is_the_same_samples_as_the_slice_of_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, sine(440, 16_000), 16_000)
    whole, part = audio.read_file(path), audio.read_file(path, 0.25, 0.75)
    np.testing.assert_array_equal(part, whole[4_000:12_000])
    utterance = Utterance("a", path, "happy", "s", start_s=0.25, end_s=0.75)
    np.testing.assert_array_equal(audio.read(utterance), part)


def test_a_segment_may_pass_the_end_by_a_rounding_but_no_more(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, sine(440, 16_000), 16_000)
    assert len(audio.read_file(path, 0.5, 1.005)) == 8_000
    with pytest.raises(CorpusError, match=r"a\.wav: lasts 1\.000 s.*0\.500 to 1\.500 s"):
        audio.read_file(path, 0.5, 1.5)


def test_a_file_without_samples_is_empty_and_no_error(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(0), 48_000)
    assert audio.read_file(path).shape == (0,)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"a\.wav: there is no such file"):
        audio.read_file(tmp_path / "a.wav")


def test_a_file_that_is_not_audio_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_text("these are words")
    with pytest.raises(CorpusError, match=r"a\.wav: cannot be decoded as audio"):
        audio.read_file(path)


def test_a_flac_cut_off_in_the_middle_is_not_taken_for_a_short_one(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.random.default_rng(0).uniform(-1, 1, 48_000), 16_000)
    path.write_bytes(path.read_bytes()[:50_000])
    with pytest.raises(CorpusError, match=r"a\.flac: (is cut off|cannot be decoded)"):
        audio.read_file(path)


def test_samples_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.array([0.0, np.nan, 0.1]), 16_000, subtype="FLOAT")
    with pytest.raises(CorpusError, match="not finite"):
        audio.read_file(path)


def test_telephone_recordings_are_read_whole_and_in_part(tmp_path: Path) -> None:
    """GSM 6.10 cannot be sought in."""
    path = tmp_path / "a.wav"
    soundfile.write(path, sine(440, 8_000, 2.0), 8_000, subtype="GSM610")
    whole, rate_hz = audio.decode(path)
    assert (len(whole), rate_hz) == (16_000, 8_000)
    part, _ = audio.decode(path, 0.5, 1.0)
    np.testing.assert_array_equal(part, whole[4_000:8_000])


def test_a_recording_is_held_to_the_sound_that_was_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, sine(440, 16_000), 16_000)
    digest = audio.sound_digest(*audio.decode(path))
    seen = Utterance("a", path, sha256=digest)
    assert len(audio.read(seen)) == 16_000
    soundfile.write(path, sine(441, 16_000), 16_000)
    with pytest.raises(CorpusError, match=r"a\.wav: is not the sound that was checked before"):
        audio.read(seen)
    assert len(audio.read(Utterance("a", path))) == 16_000


def flac_that_claims(path: Path, samples: int) -> None:
    """A FLAC whose header states another number of samples."""
    soundfile.write(path, np.zeros(1600, np.float32), 16_000, format="FLAC")
    content = bytearray(path.read_bytes())
    # the last 36 bits of bytes 18 to 25: "fLaC", a block's header and 10 bytes come before
    stated = int.from_bytes(content[18:26], "big")
    content[18:26] = (stated >> 36 << 36 | samples).to_bytes(8, "big")
    path.write_bytes(content)


def test_what_a_header_claims_takes_no_memory(tmp_path: Path) -> None:
    flac, slow, sparse = tmp_path / "a.flac", tmp_path / "b.wav", tmp_path / "c.wav"
    flac_that_claims(flac, 2**36 - 1)
    soundfile.write(slow, np.zeros(100, np.float32), 1)
    soundfile.write(sparse, np.zeros(16, np.int16), 16_000)
    with sparse.open("r+b") as file:
        size = 1_900_000_000
        file.truncate(size)
        file.seek(4)
        file.write((size - 8).to_bytes(4, "little"))
        file.seek(40)
        file.write((size - 44).to_bytes(4, "little"))
    for path, told in ((flac, "h of 1 channels"), (slow, "1 samples a second"), (sparse, "16.5 h")):
        with pytest.raises(CorpusError, match=told):
            audio.decode(path)
    # a stretch of a long recording is as good as any
    samples, _ = audio.decode(sparse, 10.0, 12.0)
    assert len(samples) == 32_000
