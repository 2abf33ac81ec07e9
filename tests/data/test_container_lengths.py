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


def heard(path: Path) -> int:
    with soundfile.SoundFile(path) as file:
        return int(file.frames)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "ULAW", "GSM610"])
def test_a_wav_is_whole_or_cut_off_whatever_it_holds(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, speech(1.0), 8_000, subtype=subtype)
    check_length(path, heard(path))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(CorpusError, match=r"a\.wav: is cut off, its header announces"):
        check_length(path, heard(path))


def test_chunks_before_and_after_the_sound_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, speech(1.0), 8_000)
    content = path.read_bytes()
    note = b"note" + struct.pack("<I", 3) + b"abc\0"
    path.write_bytes(content[:12] + note + content[12:] + note)
    check_length(path, heard(path))


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF, 0x7FFF_F000])
def test_a_size_that_was_not_known_when_it_was_written_announces_nothing(
    tmp_path: Path, size: int
) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, speech(1.0), 8_000)
    content = path.read_bytes()
    place = content.index(b"data") + 4
    path.write_bytes(content[:place] + struct.pack("<I", size) + content[place + 4 :])
    check_length(path, 8_000)


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_an_mp3_that_states_its_length_is_heard_whole(tmp_path: Path, mode: str) -> None:
    path = mp3(tmp_path / "a.mp3", mode, states_its_length=True)
    samples, _ = decode(path)
    assert len(samples) == pytest.approx(6 * RATE_HZ, abs=2 * 1152)
    check_length(path, len(samples))


def test_an_mp3_of_one_bit_rate_needs_not_state_its_length(tmp_path: Path) -> None:
    path = mp3(tmp_path / "a.mp3", "CONSTANT", states_its_length=False)
    samples, _ = decode(path)
    assert len(samples) == pytest.approx(6 * RATE_HZ, abs=3 * 1152)
    check_length(path, len(samples))


def test_an_mp3_of_which_a_part_would_be_heard_is_refused(tmp_path: Path) -> None:
    path = mp3(tmp_path / "a.mp3", "VARIABLE", states_its_length=False)
    (found,) = inspect_audio(make_corpus("mine", [Utterance("a", path, "sad", "s")]))
    assert "does not state its length, and of its" in str(found.error)


def test_an_mp3_that_was_cut_in_half_is_told(tmp_path: Path) -> None:
    path = mp3(tmp_path / "a.mp3", "CONSTANT", states_its_length=True)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (found,) = inspect_audio(make_corpus("mine", [Utterance("a", path, "sad", "s")]))
    assert "is cut off" in str(found.error)


def test_other_kinds_are_left_to_their_decoder(tmp_path: Path) -> None:
    for name in ("a.flac", "a.ogg"):
        soundfile.write(tmp_path / name, speech(1.0), RATE_HZ)
        check_length(tmp_path / name, RATE_HZ)
