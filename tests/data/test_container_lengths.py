"""Files that hold less than they announce, or more than is heard of them."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.data.audio import decode
from harness.data.audio_info import inspect_audio
from harness.data.container_lengths import check_length
from harness.data.utterances import Utterance, make_corpus
from harness.errors import CorpusError

RATE_HZ = 44_100


def speech(seconds: float = 6.0) -> np.ndarray:
    """Two quiet seconds, then loud ones, so that a variable bit rate varies."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.where(t < 2, 0.0005, 0.2) * np.random.default_rng(0).normal(size=len(t))


def mp3(path: Path, mode: str, *, states_its_length: bool) -> Path:
    soundfile.write(path, speech(), RATE_HZ, format="MP3", bitrate_mode=mode, compression_level=0.3)
    content = path.read_bytes()
    assert b"Xing" in content[:64] or b"Info" in content[:64]
    if not states_its_length:
        second = content.index(content[:2], 4)
        while content[second + 2] & 0xF0 in (0, 0xF0):  # two such bytes need not begin a frame
            second = content.index(content[:2], second + 1)
        path.write_bytes(content[second:])
    return path


def check(path: Path) -> None:
    check_length(path, soundfile.info(path).format, lambda: len(decode(path)[0]))


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "ULAW", "GSM610"])
def test_a_wav_is_whole_or_cut_off_whatever_it_holds(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, speech(1.0), 8_000, subtype=subtype)
    check(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(CorpusError, match=r"a\.wav: is cut off, its header announces"):
        check(path)


def test_chunks_before_and_after_the_sound_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, speech(1.0), 8_000)
    content = path.read_bytes()
    note = b"note" + struct.pack("<I", 3) + b"abc\0"
    path.write_bytes(content[:12] + note + content[12:] + note)
    check(path)


@pytest.mark.parametrize("size", [0xFFFF_FFFF, 0x7FFF_F000])
def test_a_size_that_was_not_known_when_it_was_written_announces_nothing(
    tmp_path: Path, size: int
) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, speech(1.0), 8_000)
    content = path.read_bytes()
    place = content.index(b"data") + 4
    path.write_bytes(content[:place] + struct.pack("<I", size) + content[place + 4 :])
    check(path)


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_an_mp3_that_states_its_length_is_heard_whole(tmp_path: Path, mode: str) -> None:
    path = mp3(tmp_path / "a.mp3", mode, states_its_length=True)
    samples, _ = decode(path)
    assert len(samples) == pytest.approx(6 * RATE_HZ, abs=2 * 1152)
    check(path)


def test_an_mp3_of_one_bit_rate_needs_not_state_its_length(tmp_path: Path) -> None:
    path = mp3(tmp_path / "a.mp3", "CONSTANT", states_its_length=False)
    samples, _ = decode(path)
    assert len(samples) == pytest.approx(6 * RATE_HZ, abs=3 * 1152)
    check(path)


def test_an_mp3_of_which_a_part_would_be_heard_is_refused(tmp_path: Path) -> None:
    path = mp3(tmp_path / "a.mp3", "VARIABLE", states_its_length=False)
    (found,) = inspect_audio(make_corpus("mine", [Utterance("a", path, "sad", "s")]))
    assert "does not state its length, and of its" in str(found.error)


def test_an_mp3_that_was_cut_in_half_is_told(tmp_path: Path) -> None:
    path = mp3(tmp_path / "a.mp3", "CONSTANT", states_its_length=True)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (found,) = inspect_audio(make_corpus("mine", [Utterance("a", path, "sad", "s")]))
    assert "is cut off" in str(found.error)


@pytest.mark.parametrize("kind", ["AIFF", "AU", "RF64", "WAVEX", "OGG"])
def test_every_kind_is_whole_or_cut_off(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.sound"
    soundfile.write(path, speech(3.0), RATE_HZ, format=kind)
    check(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(CorpusError, match=r"a\.sound: is cut off"):
        check(path)


@pytest.mark.parametrize(
    ("share", "told"), [(0.5, "goes on behind the sound"), (0.0, "announces no sound, and")]
)
def test_sound_behind_what_is_announced_is_told(tmp_path: Path, share: float, told: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, speech(1.0), RATE_HZ)
    content = path.read_bytes()
    place = content.index(b"data") + 4
    size = struct.pack("<I", int(share * (len(content) - place - 4)) // 2 * 2)
    path.write_bytes(content[:place] + size + content[place + 4 :])
    with pytest.raises(CorpusError, match=told):
        check(path)


@pytest.mark.parametrize("scrap", [b"\1", b"\1\2\3", b"\1" * 500, b"\0" * 9_000])
def test_scraps_behind_the_sound_are_passed_over(tmp_path: Path, scrap: bytes) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, speech(9.0), RATE_HZ)
    path.write_bytes(path.read_bytes() + scrap)
    check(path)


@pytest.mark.parametrize("before", [b"", b"\1" * 300, b"ID3\4\0\0\0\0\0\4abcd" * 2])
def test_an_mp3_is_known_by_its_content_whatever_it_is_called(
    tmp_path: Path, before: bytes
) -> None:
    path = mp3(tmp_path / "a.mp3", "VARIABLE", states_its_length=False)
    (tmp_path / "a.wav").write_bytes(before + path.read_bytes())
    with pytest.raises(CorpusError, match="does not state its length, and of its"):
        check_length(tmp_path / "a.wav", "MP3", lambda: 100_000)


def test_an_mp3_under_another_name_is_checked_as_one(tmp_path: Path) -> None:
    mp3(tmp_path / "a.mp3", "VARIABLE", states_its_length=False).rename(tmp_path / "a.wav")
    whole = Utterance("a", tmp_path / "a.wav", "sad", "s")
    (found,) = inspect_audio(make_corpus("mine", [whole]))
    assert "does not state its length, and of its" in str(found.error)


def test_a_stretch_of_a_file_that_is_cut_off_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, speech(4.0), RATE_HZ)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    stretch = Utterance("a", path, "sad", "s", start_s=0.5, end_s=1.0)
    (found,) = inspect_audio(make_corpus("mine", [stretch]))
    assert "is cut off" in str(found.error)
