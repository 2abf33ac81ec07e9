"""Writes one shard batch by batch, so that an interruption costs no batch that was written.

Frames are appended to the shard's file, and each batch that is there is noted in a journal.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Self, TextIO

import torch
from filelock import FileLock
from torch import Tensor

from harness.cache.frame_store import FRAMES, INDEX, FrameKey, seal, write_index
from harness.errors import UserError
from harness.files import parse_json
from harness.model.dtypes import DTYPE_NAMES, DTYPES
from harness.specs import DtypeName

JOURNAL = "rows.jsonl"


@dataclass
class ShardWriter:
    """A partial shard that is open for writing."""

    folder: Path
    key: FrameKey
    frames: BinaryIO
    journal: TextIO
    dims: int = 0
    computed_dtype: DtypeName = "float32"
    rows: list[list[tuple[str, int]]] = field(default_factory=list)
    """Of each batch that is written: the digest of each sound and how many frames it has."""

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, key: FrameKey) -> Iterator[Self]:
        """The partial shard in `folder`, with the whole batches that an earlier pass wrote."""
        folder.mkdir(parents=True, exist_ok=True)
        with (
            (folder / FRAMES).open("ab") as frames,
            (folder / JOURNAL).open("a+", encoding="utf-8") as journal,
        ):
            writer = cls(folder, key, frames, journal)
            writer._read_journal()
            yield writer

    @property
    def batches(self) -> int:
        """How many batches are written."""
        return len(self.rows)

    def append(self, sounds: Sequence[str], values: Tensor, lengths: Sequence[int]) -> None:
        """Write the real frames of one batch, then note that they are there.

        Shape:
            values: (B, F, D), for B sounds and lengths

        Raises:
            UserError: a value is too large for the type in which frames are kept.
        """
        dtype = DTYPES[self.key.dtype]
        self.dims, self.computed_dtype = values.shape[-1], DTYPE_NAMES[values.dtype]
        stored = values.detach().to("cpu", dtype)
        if dtype == torch.float16 and stored.isinf().any():
            raise UserError(
                f"frames of {self.key.backbone} are too large for fp16: "
                "use --frames bf16 or float32"
            )
        for row, length in zip(stored, lengths, strict=True):
            self.frames.write(row[:length].contiguous().view(torch.uint8).numpy().data)
        _to_disk(self.frames)
        rows = list(zip(sounds, lengths, strict=True))
        entry = {"dims": self.dims, "computed": self.computed_dtype, "rows": rows}
        self.journal.write(json.dumps(entry) + "\n")
        _to_disk(self.journal)
        self.rows.append(rows)

    def truncate(self, batches: int) -> None:
        """Drop what was written after so many batches, and half a batch after those."""
        del self.rows[batches:]
        self.frames.truncate(self._size_bytes(self.rows))
        self.journal.seek(0)
        lines = self.journal.readlines()[:batches]
        self.journal.truncate(len("".join(lines).encode()))

    def seal(self) -> None:
        """Make it a shard, after the last batch."""
        rows = [row for batch in self.rows for row in batch]
        write_index(self.folder, self.key, self.dims, self.computed_dtype, rows)
        (self.folder / JOURNAL).unlink()  # until now a full disk or a kill costs no batch
        seal(self.folder)

    def _read_journal(self) -> None:
        self.journal.seek(0)
        left_bytes = self.frames.tell()
        for line in self.journal:
            try:
                entry = parse_json(line)
            except ValueError:  # the last line of a process that was killed
                return
            self.dims, self.computed_dtype = entry["dims"], entry["computed"]
            rows = [(sound, count) for sound, count in entry["rows"]]
            left_bytes -= self._size_bytes([rows])
            if left_bytes < 0:  # a disk that kept the journal and lost the frames
                return
            self.rows.append(rows)

    def _size_bytes(self, batches: Sequence[Sequence[tuple[str, int]]]) -> int:
        frames = sum(count for rows in batches for _, count in rows)
        return frames * self.dims * DTYPES[self.key.dtype].itemsize


def finish_complete(folder: Path) -> None:
    """Seal a partial shard that was complete when its pass was killed; leave any other."""
    if (folder / INDEX).exists() and not (folder / JOURNAL).exists():
        seal(folder)


def shard_lock(folder: Path, name: str) -> FileLock:
    """Held by whoever writes the shards of that name in a store's folder."""
    return FileLock(folder / f"{name}.lock")


def _to_disk(file: BinaryIO | TextIO) -> None:
    file.flush()
    os.fsync(file.fileno())
