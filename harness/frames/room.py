"""How much disk frames may take, and what makes way for more."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

import torch

from backbones.base import Backbone, Frames
from harness.audio import SAMPLE_RATE_HZ
from harness.errors import UserError
from harness.frames.extract import Pass
from harness.frames.store import DTYPES, INDEX, FrameStore, Shelf

DEFAULT_LIMIT_GB = 100.0
SPARE_BYTES = 500_000_000  # of the disk, that frames leave to others


def planned_bytes(todo: Pass, backbone: Backbone) -> int:
    """What a pass will write, by the exact arithmetic of the backbone's frames."""
    samples = [round(seconds * SAMPLE_RATE_HZ) for seconds in todo.split.durations_s]
    counts = (backbone.frame_lengths(torch.tensor(samples)) + extra_tokens(backbone)).tolist()
    dims = backbone.config.hidden_size
    return sum(
        shelf.view.rows(count) * dims * DTYPES[shelf.dtype].itemsize
        for shelf in todo.shelves
        for count in counts
    )


def extra_tokens(backbone: Backbone) -> int:
    """Frames that stand for no audio, which a backbone carries below its top."""
    length = 1000
    frames = Frames(torch.zeros(1, length, 1), torch.tensor([length]))
    return length - int(backbone.speech(frames).lengths)


def make_room(
    store: FrameStore, needed_bytes: int, limit_bytes: float, in_use: Collection[Shelf] = ()
) -> list[Path]:
    """Delete segments, those unused for longest first, until so many bytes may be written.

    Args:
        store: where they are to be written
        needed_bytes: how many
        limit_bytes: that all frames together may take
        in_use: shelves from which nothing is deleted

    Returns:
        The folders that made way.

    Raises:
        UserError: there is no room for them, whatever makes way.
    """
    store.folder.mkdir(parents=True, exist_ok=True)
    kept = {store.shelf(shelf) for shelf in in_use}
    gone = []
    oldest_first = iter(_by_last_use(store.folder, kept))
    while needed_bytes > _room(store.folder, limit_bytes):
        folder = next(oldest_first, None)
        if folder is None:
            raise UserError(
                f"frames need {_gb(needed_bytes)} in {store.folder}, where {_gb(limit_bytes)} are "
                f"allowed and there is room for {_gb(_room(store.folder, limit_bytes))}: allow "
                "more with --cache-gb, set HARNESS_CACHE to another disk, or use --frames off"
            )
        shutil.rmtree(folder)
        gone.append(folder)
    return gone


def _room(folder: Path, limit_bytes: float) -> float:
    free = shutil.disk_usage(folder).free - SPARE_BYTES
    return max(0.0, min(limit_bytes - size_bytes(folder), free))


def size_bytes(folder: Path) -> int:
    """What all files under a folder take."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _by_last_use(folder: Path, kept: Collection[Path]) -> Iterable[Path]:
    indices = [path for path in folder.glob(f"*/*/{INDEX}") if path.parents[1] not in kept]
    return [path.parent for path in sorted(indices, key=lambda path: path.stat().st_mtime)]


def _gb(size: float) -> str:
    return f"{size / 1e9:.2f} GB"
