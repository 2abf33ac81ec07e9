"""One pass over the audio that fills shelves, and goes on where it was interrupted."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Self, TextIO

import torch
from accelerate import Accelerator
from filelock import FileLock
from torch import Tensor

from backbones.base import Backbone
from harness.cache.frame_store import (
    DTYPES,
    FRAMES,
    INDEX,
    PARTIAL,
    Dtype,
    FrameKey,
    FrameStore,
    seal,
    write_index,
)
from harness.cache.frame_summaries import summarise
from harness.data.batches import LabelledSplit, bucketed, stream
from harness.errors import DiskSpaceError, UserError
from harness.files import content_digest

BATCH_SECONDS = 64.0
JOURNAL = "rows.jsonl"
NAMES: Mapping[torch.dtype, Dtype] = {dtype: name for name, dtype in DTYPES.items()}


@dataclass(frozen=True)
class ExtractionPass:
    """Utterances that the same shelves lack."""

    keys: tuple[FrameKey, ...]
    split: LabelledSplit
    sounds: tuple[str, ...]
    """Digest of each utterance's sound."""

    @cached_property
    def name(self) -> str:
        """Of the segments it writes: the same for the same sounds in the same batches."""
        return content_digest([list(self.sounds), self.plan()])[:16]

    def plan(self) -> list[list[int]]:
        """Its batches, always the same, so that a pass can go on after an interruption."""
        return bucketed(self.split.durations_s, BATCH_SECONDS)


def extraction_passes(
    store: FrameStore, keys: Sequence[FrameKey], split: LabelledSplit, sounds: Sequence[str]
) -> list[ExtractionPass]:
    """What must be computed so that every shelf has every sound; none twice."""
    found: dict[tuple[int, ...], list[FrameKey]] = {}
    first = {sound: index for index, sound in reversed(list(enumerate(sounds)))}
    for key in keys:
        stored = store.sounds(key)
        missing = tuple(sorted(index for sound, index in first.items() if sound not in stored))
        found.setdefault(missing, []).append(key)
    return [
        ExtractionPass(
            tuple(lacking), _part(split, missing), tuple(sounds[index] for index in missing)
        )
        for missing, lacking in found.items()
        if missing
    ]


def _part(split: LabelledSplit, indices: Sequence[int]) -> LabelledSplit:
    return LabelledSplit(
        tuple(split.utterances[index] for index in indices),
        tuple(split.labels[index] for index in indices),
        tuple(split.durations_s[index] for index in indices),
    )


def extract(
    todo: ExtractionPass,
    store: FrameStore,
    backbone: Backbone,
    accelerator: Accelerator,
) -> Iterator[int]:
    """Compute a pass's frames and write them under its keys, whole or not at all.

    Args:
        todo: what to compute
        store: where to
        backbone: frozen, on the accelerator's device
        accelerator: the precision in which frames are computed

    Yields:
        How many batches are done, after each; nothing is computed unless it is asked for the next.

    Raises:
        UserError: the disk is full; what was written is kept, and the next pass goes on from it.
    """
    store.folder.mkdir(parents=True, exist_ok=True)
    with _disk_full(store.folder), lock(store.folder, todo.name):
        for key in todo.keys:
            _finish(store.key(key) / f"{todo.name}{PARTIAL}")
        folders = {key: store.key(key) / todo.name for key in todo.keys}
        with ExitStack() as stack:
            parts = [
                stack.enter_context(
                    ShardWriter.opened(folder.with_name(f"{todo.name}{PARTIAL}"), key)
                )
                for key, folder in folders.items()
                if not folder.exists()  # another process may have written it meanwhile
            ]
            if not parts:
                return
            yield from _fill(parts, todo, backbone, accelerator)
        for part in parts:
            part.seal()


def _finish(part: Path) -> None:
    """Seal a part that lacked nothing else when its pass was killed."""
    if (part / INDEX).exists() and not (part / JOURNAL).exists():
        seal(part)


def lock(folder: Path, name: str) -> FileLock:
    """Held by whoever writes the segments of that name in a store's folder."""
    return FileLock(folder / f"{name}.lock")


def _fill(
    parts: Sequence[ShardWriter],
    todo: ExtractionPass,
    backbone: Backbone,
    accelerator: Accelerator,
) -> Iterator[int]:
    plan = todo.plan()
    done = min(part.batches for part in parts)
    for part in parts:
        part.go_back_to(done)
    depths = {part.key.view.depth for part in parts}
    batches = stream(todo.split, plan[done:])
    for number, batch in enumerate(batches, start=done + 1):
        moved = batch.to(accelerator.device)
        with accelerator.autocast():
            states = backbone.states(moved.waveforms, moved.lengths, depths)
        sounds = [todo.sounds[index] for index in batch.indices]
        for part in parts:
            view = part.key.view
            frames = states[view.depth]
            if view.form != "frames":
                frames = summarise(
                    frames if view.depth == len(backbone.layers) else backbone.speech(frames),
                    view.form,
                )
            part.append(sounds, frames.values, frames.lengths.tolist())
        yield number


@dataclass
class ShardWriter:
    """A segment that is being written: frames, and a journal of the batches they came in."""

    folder: Path
    key: FrameKey
    frames: BinaryIO
    journal: TextIO
    dims: int = 0
    computed: Dtype = "float32"
    rows: list[list[tuple[str, int]]] = field(default_factory=list)

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, key: FrameKey) -> Iterator[Self]:
        """The part in `folder`, with the whole batches that an earlier pass left in it."""
        folder.mkdir(parents=True, exist_ok=True)
        with (
            (folder / FRAMES).open("ab") as frames,
            (folder / JOURNAL).open("a+", encoding="utf-8") as journal,
        ):
            part = cls(folder, key, frames, journal)
            part._remember()
            yield part

    @property
    def batches(self) -> int:
        """How many batches are written."""
        return len(self.rows)

    def append(self, sounds: Sequence[str], values: Tensor, lengths: Sequence[int]) -> None:
        """Write the real frames of one batch, then note that they are there."""
        dtype = DTYPES[self.key.dtype]
        self.dims, self.computed = values.shape[-1], NAMES[values.dtype]
        kept = values.detach().to("cpu", dtype)
        if dtype == torch.float16 and kept.isinf().any():
            raise UserError(
                f"frames of {self.key.backbone} are too large for fp16: "
                "use --frames bf16 or float32"
            )
        for row, length in zip(kept, lengths, strict=True):
            self.frames.write(row[:length].contiguous().view(torch.uint8).numpy().data)
        _to_disk(self.frames)
        rows = list(zip(sounds, lengths, strict=True))
        noted = {"dims": self.dims, "computed": self.computed, "rows": rows}
        self.journal.write(json.dumps(noted) + "\n")
        _to_disk(self.journal)
        self.rows.append(rows)

    def go_back_to(self, batches: int) -> None:
        """Forget what was written after so many batches, and half a batch after those."""
        del self.rows[batches:]
        self.frames.truncate(self._size_bytes(self.rows))
        self.journal.seek(0)
        lines = self.journal.readlines()[:batches]
        self.journal.truncate(len("".join(lines).encode()))

    def seal(self) -> None:
        """Make it a segment, after the last batch."""
        rows = [row for batch in self.rows for row in batch]
        write_index(self.folder, self.key, self.dims, self.computed, rows)
        (self.folder / JOURNAL).unlink()  # until now a full disk or a kill costs no batch
        seal(self.folder)

    def _remember(self) -> None:
        self.journal.seek(0)
        left_bytes = self.frames.tell()
        for line in self.journal:
            try:
                noted = json.loads(line)
            except ValueError:  # the last line of a process that was killed
                return
            self.dims, self.computed = noted["dims"], noted["computed"]
            rows = [(sound, count) for sound, count in noted["rows"]]
            left_bytes -= self._size_bytes([rows])
            if left_bytes < 0:  # a disk that kept the journal and lost the frames
                return
            self.rows.append(rows)

    def _size_bytes(self, batches: Sequence[Sequence[tuple[str, int]]]) -> int:
        frames = sum(count for rows in batches for _, count in rows)
        return frames * self.dims * DTYPES[self.key.dtype].itemsize


def _to_disk(file: BinaryIO | TextIO) -> None:
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def _disk_full(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskSpaceError(
            f"the disk of {folder} is full. What was computed is kept: make room and run again, "
            "set HARNESS_CACHE to another disk, or use --frames off"
        ) from error
