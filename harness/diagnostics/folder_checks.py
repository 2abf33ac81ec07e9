"""Whether the folders that a run reads and writes serve it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from backbones.hub.local_files import hugging_face_cache, modelscope_cache
from harness.diagnostics import Check
from harness.files import CACHE_VARIABLE, cache_folder

MIN_DISK_GB = 10.0
GIGA = 1e9

READ_FOLDERS = {"corpora": "HARNESS_CORPORA", "models": "HARNESS_MODELS"}
DOWNLOAD_CACHES = {"Hugging Face cache": hugging_face_cache, "ModelScope cache": modelscope_cache}


def examine_folders(results: Path) -> Iterator[Check]:
    """Every folder, each as soon as it is checked."""
    yield _results(results)
    yield _cache()
    for name, cache_folder_of in DOWNLOAD_CACHES.items():
        yield _download_cache(name, cache_folder_of())
    for name, variable in READ_FOLDERS.items():
        yield _read(name, variable)


def writable(folder: Path) -> bool:
    """Whether files can be made in a folder, which need not be there yet."""
    existing = _nearest_existing(folder)
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _nearest_existing(folder: Path) -> Path:
    """The folder, or the closest one above it that is there."""
    return next(path for path in (folder, *folder.absolute().parents) if os.access(path, os.F_OK))


def _results(folder: Path) -> Check:
    if writable(folder):
        return _with_disk_space("results", folder)
    detail = (
        f"{folder.absolute()} cannot be written by user {os.getuid()}: give it to that user, or "
        "name another folder with --results"
    )
    return Check("machine", "results", detail, ok=False)


def _cache() -> Check:
    """Whether frames and corpora can be kept, and how much of them."""
    wanted, folder = os.environ.get(CACHE_VARIABLE), cache_folder("frames")
    if not wanted or Path(wanted).expanduser() in folder.parents:
        return _with_disk_space("cache", folder)
    detail = (
        f"{wanted} (${CACHE_VARIABLE}) cannot be written by user {os.getuid()}, so {folder} is "
        "used: give it to that user, or name another folder"
    )
    return Check("machine", "cache", detail, ok=False)


def _with_disk_space(name: str, folder: Path) -> Check:
    free_gb = shutil.disk_usage(_nearest_existing(folder)).free / GIGA
    enough = free_gb >= MIN_DISK_GB
    return Check("machine", name, f"{folder}, {free_gb:.0f} GB free", ok=True if enough else None)


def _download_cache(name: str, folder: Path) -> Check:
    """Weights that are there serve even if no more can be fetched."""
    if writable(folder):
        return Check("machine", name, str(folder))
    detail = f"{folder} cannot be written: what is there is used, and no more can be fetched"
    return Check("machine", name, detail, ok=None)


def _read(name: str, variable: str) -> Check:
    named = os.environ.get(variable)
    if not named:
        detail = f"${variable} is not set: {name} are fetched, or named by a suite"
        return Check("machine", name, detail)
    folder = Path(named).expanduser()
    if not os.access(folder, os.R_OK | os.X_OK):
        detail = f"{folder} (${variable}) is missing or cannot be read by user {os.getuid()}"
        return Check("machine", name, detail, ok=False)
    found = sum(path.is_dir() for path in folder.iterdir())
    return Check("machine", name, f"{folder}, {found} folders", ok=True if found else None)
