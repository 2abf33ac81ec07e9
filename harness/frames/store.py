"""Where frames lie on disk: whole segments of rows, found by the digest of what was heard.

<folder>/<shelf>/<segment>/frames.bin    the frames of one utterance after another, (ΣF, D)
                           index.json    whose they are; written last
<folder>/<shelf>/<segment>.part/         being written; never read from

A shelf holds one view of one backbone. Suites that share some utterances share their frames.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from harness.files import content_digest, write_text
from harness.frames.views import View

FORMAT = 1
FRAMES = "frames.bin"
INDEX = "index.json"
PART = ".part"

Dtype = Literal["float32", "bf16", "fp16"]
DTYPES: Mapping[Dtype, torch.dtype] = {
    "float32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}


@dataclass(frozen=True)
class Shelf:
    """All that decides what the frames of a recording are, except the recording."""

    backbone: str
    weights: str
    """Digest of the weights."""
    settings: str
    """Digest of what else makes the network what it is, such as how it wants a waveform."""
    program: str
    """Digest of the code that makes frames of a recording, and of the libraries it uses."""
    precision: str
    """In which they were computed."""
    dtype: Dtype
    """In which they are kept."""
    view: View

    @property
    def name(self) -> str:
        """Its folder: readable, and different whenever a frame could be."""
        view = f"{self.view.depth}-{self.view.form}"
        return f"{self.backbone}-{view}-{content_digest(asdict(self))[:16]}".replace("/", "_")


@dataclass(frozen=True)
class Segment:
    """Frames that were written together."""

    folder: Path
    dims: int
    dtype: Dtype
    rows: tuple[tuple[str, int], ...]
    """Digest of each utterance's sound and how many frames it has, in the order of the file."""

    @property
    def size_bytes(self) -> int:
        """What it takes on disk."""
        frames = sum(count for _, count in self.rows)
        return frames * self.dims * DTYPES[self.dtype].itemsize

    def open(self, place: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
        """Each utterance's frames (F, D), mapped from the file and not read before they are used.

        Args:
            place: where they are held: given the mapped numbers, gives back those to use.
        """
        path = self.folder / FRAMES
        dtype = DTYPES[self.dtype]
        numbers = self.size_bytes // dtype.itemsize
        flat = torch.from_file(str(path), shared=False, size=numbers, dtype=dtype)
        counts = [count for _, count in self.rows]
        pieces = torch.split(place(flat).view(-1, self.dims), counts)
        return {sound: piece for (sound, _), piece in zip(self.rows, pieces, strict=True)}


@dataclass(frozen=True)
class FrameStore:
    """A folder of shelves."""

    folder: Path

    def shelf(self, shelf: Shelf) -> Path:
        """The folder of one shelf."""
        return self.folder / shelf.name

    def segments(self, shelf: Shelf) -> list[Segment]:
        """The whole segments of a shelf, in a fixed order."""
        return list(segments_in(self.shelf(shelf)))

    def sounds(self, shelf: Shelf) -> set[str]:
        """Digests of the utterances that are stored."""
        return {sound for segment in self.segments(shelf) for sound, _ in segment.rows}

    def open(
        self, shelf: Shelf, place: Callable[[Tensor], Tensor] = lambda mapped: mapped
    ) -> dict[str, Tensor]:
        """All frames (F, D) of a shelf, by the digest of the utterance's sound.

        Args:
            shelf: which frames
            place: where they are held, see `Segment.open`
        """
        found: dict[str, Tensor] = {}
        for segment in self.segments(shelf):
            found |= segment.open(place)
            os.utime(segment.folder / INDEX)  # used: the last to make way
        return found


def segments_in(folder: Path) -> Iterator[Segment]:
    """The whole segments in a shelf's folder; a damaged one is none, since it can be remade."""
    for place in sorted(folder.glob("*/")):
        if place.name.endswith(PART):
            continue
        try:
            segment = _segment(place)
        except (OSError, ValueError, KeyError, TypeError):
            segment = None
        if segment:
            yield segment
        else:
            shutil.rmtree(place, ignore_errors=True)


def _segment(folder: Path) -> Segment | None:
    stated = json.loads((folder / INDEX).read_text("utf-8"))
    if stated["format"] != FORMAT:
        return None
    rows = tuple((str(sound), int(frames)) for sound, frames in stated["rows"])
    segment = Segment(folder, int(stated["dims"]), stated["dtype"], rows)
    return segment if (folder / FRAMES).stat().st_size == segment.size_bytes else None


def seal(part: Path, shelf: Shelf, dims: int, rows: Iterable[tuple[str, int]]) -> None:
    """Turn a part whose frames are all written into a segment, in one step."""
    index: dict[str, Any] = {
        "format": FORMAT,
        "dims": dims,
        "dtype": shelf.dtype,
        "shelf": asdict(shelf),
        "rows": [list(row) for row in rows],
    }
    write_text(part / INDEX, json.dumps(index))
    part.rename(part.with_name(part.name.removesuffix(PART)))
