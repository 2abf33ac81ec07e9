"""Recordings as waveforms: decode, downmix to mono, resample to 16 kHz."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from harness.errors import CorpusError
from harness.files import is_file

SAMPLE_RATE_HZ = 16_000
"""What every backbone here was pretrained on."""

END_TOLERANCE_S = 0.01
"""How far a segment may pass the end of its file: lists round their times."""

LONGEST_S = 4 * 3600
MOST_VALUES = 2**30
"""In the channels of an utterance together; 4 GiB as they are decoded."""
MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 1_000_000

_ENDLESS = 2**62
"""What libsndfile calls the length of a file that does not state it is longer than this."""

Samples = npt.NDArray[np.float32]


class Recording(Protocol):
    """A file, or a segment of one; an `Utterance` is one."""

    @property
    def path(self) -> Path:
        """The audio file."""

    @property
    def start_s(self) -> float | None:
        """Where the segment begins; None for the file's start."""

    @property
    def end_s(self) -> float | None:
        """Where the segment ends; None for the file's end."""

    @property
    def sha256(self) -> str | None:
        """Digest of the sound that it had when it was looked at; None if nobody did."""


def read(recording: Recording) -> Samples:
    """Read a recording's waveform `(S,)`; see `read_file`.

    Raises:
        CorpusError: as `read_file`, or it is no longer the sound that was looked at.
    """
    samples, rate_hz = decode(recording.path, recording.start_s, recording.end_s)
    if recording.sha256 is not None and recording.sha256 != sound_digest(samples, rate_hz):
        raise CorpusError(
            f"{recording.path}: is not the sound that was checked before; it has changed since, so "
            "`touch` it and run again"
        )
    return resample(mixed_down(samples), rate_hz)


def read_file(path: Path, start_s: float | None = None, end_s: float | None = None) -> Samples:
    """Read an audio file, or the segment of it from `start_s` to `end_s`, at 16 kHz.

    Shape:
        - Output: `(S,)`, float32, full scale at ±1.

    Raises:
        CorpusError: the file is missing, cannot be decoded, or ends before the segment.
    """
    samples, rate_hz = decode(path, start_s, end_s)
    return resample(mixed_down(samples), rate_hz)


def mixed_down(samples: Samples) -> Samples:
    """One channel of several: their mean, from (S, channels) to (S,)."""
    mono: Samples = samples.mean(axis=1, dtype=np.float32)
    return mono


def sound_digest(samples: Samples, rate_hz: int) -> str:
    """A digest of decoded samples (S, channels); the same sound in wav and in flac has the same."""
    digest = hashlib.sha256(f"{rate_hz} Hz, {samples.shape[1]} channels".encode())
    digest.update(np.ascontiguousarray(samples).data)
    return digest.hexdigest()


def decode(
    path: Path, start_s: float | None = None, end_s: float | None = None
) -> tuple[Samples, int]:
    """Decode a recording as it was stored: all its channels, at its own sample rate.

    Shape:
        - Output: `(S, channels)`, float32, and the sample rate in Hz.

    Raises:
        CorpusError: the file is missing, cannot be decoded, or ends before the segment.
    """
    if not is_file(path):
        raise CorpusError(f"{path}: there is no such file")
    try:
        with soundfile.SoundFile(path) as file:
            if file.frames >= _ENDLESS:
                raise CorpusError(f"{path}: does not state its length; write it anew")
            start, stop = _sample_range(path, file.frames, file.samplerate, start_s, end_s)
            _check_size(path, stop - start, file.channels, file.samplerate)
            if file.seekable():
                file.seek(start)
            else:  # such as telephone's GSM
                file.read(start)
            samples = file.read(stop - start, dtype="float32", always_2d=True)
            rate_hz = int(file.samplerate)
            # of an mp3 that does not state its length, libsndfile guesses it
            guessed = file.format == "MP3"
    except (soundfile.SoundFileError, OSError) as error:
        raise CorpusError(f"{path}: cannot be decoded as audio ({error})") from error
    if len(samples) < stop - start and not guessed:
        raise CorpusError(
            f"{path}: is cut off, {len(samples)} samples decoded of {stop - start} announced"
        )
    if not np.isfinite(samples).all():
        raise CorpusError(f"{path}: holds samples that are not finite numbers")
    return samples, rate_hz


def resample(samples: Samples, rate_hz: int) -> Samples:
    """Resample a mono waveform `(S,)` from `rate_hz` to 16 kHz, with soxr's high quality.

    >>> resample(np.zeros(48_000, dtype=np.float32), 48_000).shape
    (16000,)
    """
    if rate_hz == SAMPLE_RATE_HZ or not len(samples):
        return samples
    resampled: Samples = soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ, quality="HQ")
    return resampled


def _check_size(path: Path, samples: int, channels: int, rate_hz: int) -> None:
    """Before any memory is taken for what a header claims."""
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise CorpusError(
            f"{path}: states {rate_hz} samples a second, speech has {MIN_RATE_HZ:,} to "
            f"{MAX_RATE_HZ:,}"
        )
    if samples > LONGEST_S * rate_hz or samples * channels > MOST_VALUES:
        raise CorpusError(
            f"{path}: states {samples / rate_hz / 3600:.1f} h of {channels} channels, too much for "
            f"an utterance (at most {LONGEST_S / 3600:g} h): cut it, or list segments of it"
        )


def _sample_range(
    path: Path, frames: int, rate_hz: int, start_s: float | None, end_s: float | None
) -> tuple[int, int]:
    """First sample of the segment and the one after its last."""
    start = round((start_s or 0.0) * rate_hz)
    stop = frames if end_s is None else round(end_s * rate_hz)
    if start > frames or stop > frames + END_TOLERANCE_S * rate_hz:
        raise CorpusError(
            f"{path}: lasts {frames / rate_hz:.3f} s, but the segment "
            f"{start / rate_hz:.3f} to {stop / rate_hz:.3f} s is asked for"
        )
    return start, max(start, min(stop, frames))
