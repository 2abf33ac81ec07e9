"""Whether an audio file holds as much sound as its container announces, and is heard to its end.

libsndfile takes a file that was cut in half for a short one, and guesses the length of an mp3 that
does not state it; so both are counted here, without decoding. What a file is, its content says and
not its name.
Formats: Microsoft's "Multimedia Programming Interface and Data Specifications 1.0" (RIFF), EBU Tech
3306 (RF64), Apple's AIFF 1.3, Sun's .au, RFC 3533 (Ogg), ISO/IEC 11172-3 and 13818-3 (MPEG audio),
and the Xing and Info frames that encoders put before it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.errors import CorpusError

_STREAMED = 0x7FFF_0000
"""Sizes of 32 bits from here on are written by programs that did not know them yet."""
_UNKNOWN = 0xFFFF_FFFF
_LITTLE_BYTES = 4096
"""So much may follow the sound of a wav without being a chunk: some programs leave scraps."""

_LARGEST_OGG_PAGE = 65_307
"""Bytes: a header of 27, 255 lengths, and 255 segments of 255."""

_SLACK_FRAMES = 4
"""By so many an mp3 may be heard shorter, as decoders leave out what encoders put around it."""
_BITRATES_KBPS = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Of layer III, by MPEG version; 2 stands for 2 and 2.5."""
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""By the two bits of the version: 3 is MPEG 1, 2 is MPEG 2, 0 is MPEG 2.5."""


def check_length(path: Path, kind: str, heard_samples: Callable[[], int]) -> None:
    """Refuse a file that holds less than it announces, or more than is heard of it.

    Args:
        path: the file
        kind: of container, as soundfile calls it, such as WAV or MP3
        heard_samples: decodes the whole of it, and tells how many samples a channel has

    Raises:
        CorpusError: says what is announced and what is there.
    """
    if kind in ("WAV", "WAVEX", "RF64"):
        _check_chunks(path, ">" if _start(path).startswith(b"RIFX") else "<")
    elif kind == "AIFF":
        _check_chunks(path, ">")
    elif kind == "AU":
        _check_au(path)
    elif kind == "OGG":
        _check_ogg(path)
    elif kind == "MP3":
        _check_mp3(path, heard_samples())


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(12)


def _check_chunks(path: Path, order: str) -> None:
    """Of RIFF, RF64 and AIFF: chunks, each with its name and size, one of which is the sound."""
    length, wide = path.stat().st_size, None
    with path.open("rb") as file:
        file.seek(12)
        while len(head := file.read(8)) == 8:
            kind, (size,) = head[:4], struct.unpack(f"{order}I", head[4:])
            if kind == b"ds64":
                wide = struct.unpack("<QQ", file.read(16))[1]
                file.seek(-16, 1)
            if kind not in (b"data", b"SSND"):
                file.seek(size + size % 2, 1)
                continue
            held = length - file.tell()
            if size == _UNKNOWN and wide is not None:
                _check_held(path, wide, held)
            elif size == 0 and held > 8:
                raise CorpusError(
                    f"{path}: announces no sound, and {held} bytes follow; whatever wrote it was "
                    "stopped before its end: write it anew"
                )
            elif size < _STREAMED:
                _check_held(path, size, held)
                file.seek(size, 1)
                _check_rest(path, file.read(9), size, held - size)
            return


def _check_held(path: Path, announced: int, held: int) -> None:
    if announced > held:
        raise CorpusError(
            f"{path}: is cut off, its header announces {announced} bytes of sound and it has {held}"
        )


def _check_rest(path: Path, head: bytes, announced: int, rest: int) -> None:
    """What follows the sound, if it is much, is another chunk, with or without a byte between."""
    names = head[:4], head[1:5]
    named = any(all(32 <= byte < 127 for byte in name) for name in names)
    if rest > max(_LITTLE_BYTES, announced // 100) and not named and head.strip(b"\0"):
        raise CorpusError(
            f"{path}: goes on behind the sound that its header announces; write it anew, or it is "
            "heard in part"
        )


def _check_au(path: Path) -> None:
    with path.open("rb") as file:
        magic, offset, size = struct.unpack(">4sII", file.read(12))
    if magic == b"dns.":
        offset, size = (int.from_bytes(v.to_bytes(4, "big"), "little") for v in (offset, size))
    if size != _UNKNOWN:
        _check_held(path, size, path.stat().st_size - offset)


def _check_ogg(path: Path) -> None:
    """The last page of a whole file says that it is the last."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LARGEST_OGG_PAGE))
        end = file.read()
    last = end.rfind(b"OggS")
    if last >= 0 and len(end) > last + 5 and not end[last + 5] & 4:
        raise CorpusError(f"{path}: is cut off, its last page is not marked as the last")


def _check_mp3(path: Path, heard_samples: int) -> None:
    """Hold what is heard to the frames that are there, or that the first one says there are."""
    content = path.read_bytes()
    samples, in_frame, stated = 0, 0, None
    for place, in_frame in _frames(content):
        if samples == 0:
            stated = _stated_frames(content[place : place + 64])
        samples += in_frame
        if stated is not None:
            samples = stated * in_frame
            break
    if samples and heard_samples < samples - _SLACK_FRAMES * in_frame:
        announced = "does not state its length, and" if stated is None else "is cut off:"
        raise CorpusError(
            f"{path}: {announced} of its {samples} samples {heard_samples} would be heard; write "
            "it anew, as wav or flac"
        )


def _frames(content: bytes) -> Iterator[tuple[int, int]]:
    """Where each frame of layer III begins, and how many samples it has."""
    place = _first_frame(content)
    while (frame := _frame(content, place)) is not None:
        length, samples = frame
        yield place, samples
        place += length


def _first_frame(content: bytes) -> int:
    """Behind ID3 tags and whatever else stands before the first two frames."""
    place = 0
    while content[place : place + 3] == b"ID3":
        size = 0
        for byte in content[place + 6 : place + 10]:  # seven bits each
            size = size << 7 | byte & 0x7F
        place += 10 + size
    while place >= 0:
        frame = _frame(content, place)
        if frame is not None and _frame(content, place + frame[0]) is not None:
            break
        place = content.find(b"\xff", place + 1)
    return place if place >= 0 else len(content)


def _stated_frames(first: bytes) -> int | None:
    """How many frames follow, if the first one says so."""
    for tag in (b"Xing", b"Info"):
        if (at := first.find(tag)) >= 0:
            flags, frames = struct.unpack(">II", first[at + 4 : at + 12])
            return frames if flags & 1 else None
    return None


def _frame(content: bytes, place: int) -> tuple[int, int] | None:
    """The bytes of the layer III frame that begins here, and its samples; None if none does."""
    if place + 4 > len(content):
        return None
    (head,) = struct.unpack(">I", content[place : place + 4])
    version, layer, bitrate = head >> 19 & 3, head >> 17 & 3, head >> 12 & 15
    rate, padding = head >> 10 & 3, head >> 9 & 1
    if head >> 21 != 0x7FF or version == 1 or layer != 1 or rate == 3 or bitrate in (0, 15):
        return None
    kbps = _BITRATES_KBPS[1 if version == 3 else 2][bitrate]
    samples = 1152 if version == 3 else 576
    return samples // 8 * kbps * 1000 // _RATES_HZ[version][rate] + padding, samples
