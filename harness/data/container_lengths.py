"""Whether an audio file holds as much sound as its container announces.

libsndfile takes a wav that was cut in half for a short one, and guesses the length of an mp3 that
does not state it; so both are counted here, without decoding.
Formats: Microsoft's "Multimedia Programming Interface and Data Specifications 1.0" (RIFF), ISO/IEC
11172-3 and 13818-3 (MPEG audio), and the Xing, Info and VBRI frames that encoders put before it.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from harness.errors import CorpusError

_STREAMED = 0x7FFF_0000
"""Sizes from here on are written by programs that did not know them yet."""

_TOLERANCE_FRAMES = 2
_BITRATES_KBPS = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Of layer III, by MPEG version; 2 stands for 2 and 2.5."""
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""By the two bits of the version: 3 is MPEG 1, 2 is MPEG 2, 0 is MPEG 2.5."""


def check_length(path: Path, heard_frames: int) -> None:
    """Refuse a file that holds less than it announces, or more than is heard of it.

    Args:
        path: the file
        heard_frames: how many samples of each channel decoding the whole of it gives

    Raises:
        CorpusError: says what is announced and what is there.
    """
    with path.open("rb") as file:
        start = file.read(12)
        if start[:4] in (b"RIFF", b"RIFX") and start[8:] == b"WAVE":
            _check_wave(path, file, "<I" if start[:4] == b"RIFF" else ">I")
        elif path.suffix.lower() == ".mp3":
            _check_mp3(path, heard_frames)


def _check_wave(path: Path, file: BinaryIO, integer: str) -> None:
    while len(head := file.read(8)) == 8:
        kind, (size,) = head[:4], struct.unpack(integer, head[4:])
        if kind != b"data":
            file.seek(size + size % 2, 1)
            continue
        held = path.stat().st_size - file.tell()
        if size < _STREAMED and size > held:
            raise CorpusError(
                f"{path}: is cut off, its header announces {size} bytes of sound and it has {held}"
            )
        return


def _check_mp3(path: Path, heard_frames: int) -> None:
    """Count the frames of an mp3 that does not state how many there are."""
    content = path.read_bytes()
    place = _after_id3(content)
    samples = 0
    while (frame := _frame(content, place)) is not None:
        length, in_frame = frame
        if samples == 0 and any(
            tag in content[place : place + 64] for tag in (b"Xing", b"Info", b"VBRI")
        ):
            return
        samples += in_frame
        place += length
    rest = len(content) - place
    if samples and abs(samples - heard_frames) > _TOLERANCE_FRAMES * 1152:
        raise CorpusError(
            f"{path}: does not state its length, and of its {samples} samples {heard_frames} would "
            f"be heard ({rest} bytes follow them); write it anew, as wav or flac"
        )


def _after_id3(content: bytes) -> int:
    if content[:3] != b"ID3" or len(content) < 10:
        return 0
    size = 0
    for byte in content[6:10]:  # seven bits each
        size = size << 7 | byte & 0x7F
    return 10 + size


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
