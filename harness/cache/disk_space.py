"""How much disk frames may take, and what makes way for more."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import torch
from filelock import Timeout

from backbones.base import Backbone
from harness.cache.extraction import ExtractionPass, lock
from harness.cache.frame_store import DTYPES, PARTIAL, Dtype, FrameStore
from harness.cache.frame_views import FrameView
from harness.data.audio import SAMPLE_RATE_HZ
from harness.errors import DiskSpaceError

SPARE_BYTES = 500_000_000  # of the disk, that frames leave to others


def planned_bytes(todo: ExtractionPass, backbone: Backbone) -> int:
    """What a pass will write, by the exact arithmetic of the backbone's frames."""
    durations_s = todo.split.durations_s
    return sum(view_bytes(s.view, s.dtype, durations_s, backbone) for s in todo.keys)


def view_bytes(
    view: FrameView, dtype: Dtype, durations_s: Sequence[float], backbone: Backbone
) -> int:
    """What utterances of some lengths take at one depth."""
    samples = torch.tensor([round(seconds * SAMPLE_RATE_HZ) for seconds in durations_s])
    below_top = view.depth < len(backbone.layers)
    counts = backbone.frame_lengths(samples) + (backbone.num_extra_tokens if below_top else 0)
    rows = sum(map(view.rows, counts.tolist()))
    return rows * backbone.config.hidden_size * DTYPES[dtype].itemsize


def written_bytes(todo: ExtractionPass, store: FrameStore) -> int:
    """What an earlier attempt at a pass has written already."""
    return sum(size_bytes(store.key(key) / f"{todo.name}{PARTIAL}") for key in todo.keys)


def free_disk_space(
    store: FrameStore, needed_bytes: int, limit_bytes: float, in_use: Collection[Path] = ()
) -> list[Path]:
    """Delete segments, those unused for longest first, until so many bytes may be written.

    What an interrupted pass has left makes way like a segment, unless it is being written.

    Args:
        store: where they are to be written
        needed_bytes: how many
        limit_bytes: that all frames together may take
        in_use: folders of segments that stay

    Returns:
        The folders that made way.

    Raises:
        DiskSpaceError: there is no room for them, whatever makes way; then nothing does.
    """
    store.folder.mkdir(parents=True, exist_ok=True)
    movable = _by_last_use(store.folder, in_use)
    room = _room(store.folder, limit_bytes, sum(map(size_bytes, movable)))
    if needed_bytes > room:
        raise DiskSpaceError(
            f"frames need {_gb(needed_bytes)} in {store.folder}, where {_gb(limit_bytes)} are "
            f"allowed and there is room for {_gb(room)}: allow more with --cache-gb, set "
            "HARNESS_CACHE to another disk, or use --frames off"
        )
    gone = []
    for folder in movable:
        if needed_bytes <= _room(store.folder, limit_bytes):
            break
        shutil.rmtree(folder, ignore_errors=True)  # another run may be making room too
        gone.append(folder)
    return gone


def _room(folder: Path, limit_bytes: float, freed_bytes: int = 0) -> float:
    free = shutil.disk_usage(folder).free - SPARE_BYTES
    return max(0.0, min(limit_bytes - size_bytes(folder), free) + freed_bytes)


def size_bytes(folder: Path) -> int:
    """What all files under a folder take."""
    return sum(status.st_size for status in _files_in(folder))


def _by_last_use(folder: Path, kept: Collection[Path]) -> list[Path]:
    """Segments and unfinished parts that may make way."""
    found = [path for path in folder.glob("*/*/") if path not in kept]
    return sorted((path for path in found if not _being_written(folder, path)), key=_last_use)


def _last_use(folder: Path) -> float:
    return max((status.st_mtime for status in _files_in(folder)), default=0.0)


def _files_in(folder: Path) -> Iterator[os.stat_result]:
    """The state of each file, but of those that another run has just moved."""
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_file():
                yield path.stat()


def _being_written(folder: Path, path: Path) -> bool:
    if not path.name.endswith(PARTIAL):
        return False
    try:
        with lock(folder, path.name.removesuffix(PARTIAL)).acquire(timeout=0):
            return False
    except Timeout:
        return True


def _gb(size: float) -> str:
    return f"{size / 1e9:.2f} GB"
