"""Where frames lie on disk: in shards, found by the digest of an utterance's sound.

<folder>/<frame key>/<shard>/frames.bin    the frames of one utterance after another, (ΣF, D)
                             index.json    whose they are; written last
<folder>/<frame key>/<shard>.part/         a partial shard, being written; never read from

The shards of one frame key make up a frame set: one view of one backbone. Suites that share some
utterances share their frames.
"""

from __future__ import annotations

import json
import mmap
import os
import shutil
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.cache.frame_views import FrameView
from harness.files import content_digest, parse_json, write_text
from harness.model.dtypes import DTYPES
from harness.specs import DtypeName

FORMAT = 1
FRAMES = "frames.bin"
INDEX = "index.json"
PARTIAL = ".part"

# a write to a mapped frame goes to a private page; no memory is reserved for that, since a file
# may be larger than all there is
NO_RESERVE = 0x4000 if sys.platform == "linux" else 0  # mmap names it from Python 3.13 on
PRIVATE = mmap.MAP_PRIVATE | NO_RESERVE
READ_AND_WRITE = mmap.PROT_READ | mmap.PROT_WRITE


@dataclass(frozen=True)
class FrameKey:
    """All that decides what the frames of a recording are, except the recording."""

    backbone: str
    weights: str
    """Digest of the weights."""
    settings: str
    """Digest of what else makes the network what it is, such as how it wants a waveform."""
    fingerprint: str
    """Names the versions of what makes frames of a recording, and of the packages it uses."""
    device: str
    """The kind on which they were computed: a GPU may multiply with fewer bits."""
    precision: str
    """In which they were computed."""
    dtype: DtypeName
    """In which they are kept."""
    view: FrameView

    @property
    def name(self) -> str:
        """Its folder: readable, and different whenever a frame could be."""
        view = f"{self.view.depth}-{self.view.form}"
        return f"{self.backbone[:60]}-{view}-{content_digest(asdict(self))[:16]}".replace("/", "_")


@dataclass(frozen=True)
class FrameShard:
    """Frames that were written together."""

    folder: Path
    dims: int
    dtype: DtypeName
    computed_dtype: DtypeName
    """The type in which the backbone gave them, whatever they are kept in."""
    rows: tuple[tuple[str, int], ...]
    """Digest of each utterance's sound and how many frames it has, in the order of the file."""

    @property
    def size_bytes(self) -> int:
        """What it takes on disk."""
        frames = sum(count for _, count in self.rows)
        return frames * self.dims * DTYPES[self.dtype].itemsize

    def open(self) -> dict[str, Tensor]:
        """Each utterance's frames (F, D), mapped from the file and read when they are used."""
        counts = [count for _, count in self.rows]
        with (self.folder / FRAMES).open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, flags=PRIVATE, prot=READ_AND_WRITE)
        flat = torch.frombuffer(mapped, dtype=DTYPES[self.dtype])
        pieces = torch.split(flat.view(-1, self.dims), counts)
        return {sound: piece for (sound, _), piece in zip(self.rows, pieces, strict=True)}


@dataclass(frozen=True)
class StoredFrames:
    """Frames of some utterances."""

    frames: Mapping[str, Tensor]
    """(F, D), by the digest of the utterance's sound."""
    computed_dtype: torch.dtype
    """The type in which the backbone gave them."""

    @property
    def size_bytes(self) -> int:
        """What they take, wherever they are held."""
        return sum(frames.nbytes for frames in self.frames.values())

    def to(self, device: torch.device) -> StoredFrames:
        """A copy of them in the memory of a device."""
        copies = {
            sound: torch.empty_like(frames, device=device).copy_(frames)
            for sound, frames in self.frames.items()
        }
        return StoredFrames(copies, self.computed_dtype)


@dataclass(frozen=True)
class FrameStore:
    """A folder of frame sets."""

    folder: Path

    def folder_of(self, key: FrameKey) -> Path:
        """The folder of one frame set."""
        return self.folder / key.name

    def partial_shard(self, key: FrameKey, name: str) -> Path:
        """The folder in which a shard of that name is written."""
        return self.folder_of(key) / f"{name}{PARTIAL}"

    def shards(self, key: FrameKey) -> list[FrameShard]:
        """The whole shards of a frame set, in a fixed order."""
        return list(shards_in(self.folder_of(key)))

    def sounds(self, key: FrameKey) -> set[str]:
        """Digests of the utterances that are stored."""
        return {sound for shard in self.shards(key) for sound, _ in shard.rows}

    def holding(self, key: FrameKey, sounds: Collection[str]) -> list[FrameShard]:
        """The shards of a frame set in which some of these utterances are."""
        wanted = frozenset(sounds)
        return [s for s in self.shards(key) if wanted & {sound for sound, _ in s.rows}]

    def open(self, key: FrameKey, sounds: Collection[str]) -> StoredFrames:
        """The frames of these utterances, as far as they are stored."""
        wanted, found = frozenset(sounds), dict[str, Tensor]()
        dtype: DtypeName = "float32"
        for shard in self.holding(key, wanted):
            pieces, dtype = shard.open(), shard.computed_dtype
            found |= {sound: piece for sound, piece in pieces.items() if sound in wanted}
            with suppress(OSError):  # another user's cache, which may only be read
                os.utime(shard.folder / INDEX)  # used just now: the last to be deleted
        return StoredFrames(found, DTYPES[dtype])


def shards_in(folder: Path) -> Iterator[FrameShard]:
    """The whole shards in a frame set's folder; damaged ones are deleted, to be made anew."""
    for shard_folder in sorted(folder.glob("*/")):
        if shard_folder.name.endswith(PARTIAL):
            continue
        try:
            shard = _read_index(shard_folder)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            shard = None
        if shard:
            yield shard
        else:
            shutil.rmtree(shard_folder, ignore_errors=True)


def _read_index(folder: Path) -> FrameShard | None:
    stated = parse_json((folder / INDEX).read_text("utf-8"))
    if stated["format"] != FORMAT:
        return None
    rows = tuple((str(sound), int(frames)) for sound, frames in stated["rows"])
    shard = FrameShard(folder, int(stated["dims"]), stated["dtype"], stated["computed"], rows)
    return shard if (folder / FRAMES).stat().st_size == shard.size_bytes else None


def write_index(
    folder: Path,
    key: FrameKey,
    dims: int,
    computed_dtype: DtypeName,
    rows: Iterable[tuple[str, int]],
) -> None:
    """Say whose the frames of a partial shard are, once all are written."""
    index: dict[str, Any] = {
        "format": FORMAT,
        "dims": dims,
        "dtype": key.dtype,
        "computed": computed_dtype,
        "key": asdict(key),
        "rows": [list(row) for row in rows],
    }
    write_text(folder / INDEX, json.dumps(index))


def seal(folder: Path) -> None:
    """Turn a partial shard that has its index into a shard, in one step."""
    folder.rename(folder.with_name(folder.name.removesuffix(PARTIAL)))
