"""How much disk frames may take, and what is deleted to free some for more."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import torch
from filelock import Timeout

from backbones.base import Backbone
from harness.cache.extraction import ExtractionPass
from harness.cache.frame_store import PARTIAL, FrameStore
from harness.cache.frame_views import FrameView
from harness.cache.shard_writer import shard_lock
from harness.data.audio import SAMPLE_RATE_HZ
from harness.errors import DiskSpaceError
from harness.model.dtypes import DTYPES
from harness.specs import DtypeName

SPARE_BYTES = 500_000_000  # of the disk, that frames leave to others


def planned_bytes(extraction: ExtractionPass, backbone: Backbone) -> int:
    """What a pass will write, by the exact arithmetic of the backbone's frames."""
    durations_s = extraction.split.durations_s
    return sum(view_bytes(key.view, key.dtype, durations_s, backbone) for key in extraction.keys)


def view_bytes(
    view: FrameView, dtype: DtypeName, durations_s: Sequence[float], backbone: Backbone
) -> int:
    """What utterances of some lengths take at one depth."""
    samples = torch.tensor([round(seconds * SAMPLE_RATE_HZ) for seconds in durations_s])
    below_top = view.depth < len(backbone.layers)
    counts = backbone.frame_lengths(samples) + (backbone.num_extra_tokens if below_top else 0)
    rows = sum(map(view.rows, counts.tolist()))
    return rows * backbone.config.hidden_size * DTYPES[dtype].itemsize


def written_bytes(extraction: ExtractionPass, store: FrameStore) -> int:
    """What an earlier attempt at a pass has written already."""
    return sum(size_bytes(store.partial_shard(key, extraction.name)) for key in extraction.keys)


def free_disk_space(
    store: FrameStore, needed_bytes: int, limit_bytes: float, in_use: Collection[Path] = ()
) -> list[Path]:
    """Delete shards, the least recently used first, until so many bytes may be written.

    Partial shards of interrupted passes are deleted like others, unless they are being written.

    Args:
        store: where they are to be written
        needed_bytes: how many
        limit_bytes: that all frames together may take
        in_use: folders of shards that stay

    Returns:
        The folders that were deleted.

    Raises:
        DiskSpaceError: they do not fit, whatever is deleted; then nothing is.
    """
    store.folder.mkdir(parents=True, exist_ok=True)
    deletable = _least_recently_used(store.folder, in_use)
    most_bytes = _free_bytes(store.folder, limit_bytes, sum(map(size_bytes, deletable)))
    if needed_bytes > most_bytes:
        raise DiskSpaceError(
            f"frames need {_gb(needed_bytes)} in {store.folder}, where {_gb(limit_bytes)} are "
            f"allowed and there is room for {_gb(most_bytes)}: allow more with --cache-gb, set "
            "HARNESS_CACHE to another disk, or use --frames off"
        )
    deleted = []
    for folder in deletable:
        if needed_bytes <= _free_bytes(store.folder, limit_bytes):
            break
        shutil.rmtree(folder, ignore_errors=True)  # another run may be freeing disk space too
        deleted.append(folder)
    return deleted


def _free_bytes(folder: Path, limit_bytes: float, freed_bytes: int = 0) -> float:
    free = shutil.disk_usage(folder).free - SPARE_BYTES
    return max(0.0, min(limit_bytes - size_bytes(folder), free) + freed_bytes)


def size_bytes(folder: Path) -> int:
    """What all files under a folder take."""
    return sum(status.st_size for status in _files_in(folder))


def _least_recently_used(folder: Path, in_use: Collection[Path]) -> list[Path]:
    """Shards and partial shards that may be deleted, the least recently used first."""
    found = [path for path in folder.glob("*/*/") if path not in in_use]
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
        with shard_lock(folder, path.name.removesuffix(PARTIAL)).acquire(timeout=0):
            return False
    except Timeout:
        return True


def _gb(size: float) -> str:
    return f"{size / 1e9:.2f} GB"
