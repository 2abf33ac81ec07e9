"""What the outcome was made with: packages, processor, system, revision. No torch here."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil

import backbones
import harness
from harness.files import content_digest

Sources = dict[ModuleType, tuple[str, ...]]

PACKAGES = (
    "accelerate",
    "funasr",
    "numpy",
    "nvidia-ml-py",
    "pandas",
    "scikit-learn",
    "soundfile",
    "soxr",
    "torch",
    "transformers",
)

DECISIVE: Sources = {
    backbones: ("**/*.py",),
    harness: (
        "specs.py",
        "cache/*.py",
        "data/*.py",
        "data/readers/*.py",
        "data/splits/*.py",
        "model/*.py",
        "runs/session.py",
        "runs/trial_execution.py",
        "tasks/*.py",
        "training/*.py",
    ),
}
"""Files of each package on which an outcome rests."""

OF_COSTS: Sources = {**DECISIVE, harness: (*DECISIVE[harness], "profiling/*.py")}
"""Files on which a cost rests."""

OF_FRAMES: Sources = {
    backbones: ("**/*.py",),
    harness: (
        "data/audio.py",
        "data/batches.py",
        "data/audio_info.py",
        "cache/frame_summaries.py",
        "cache/extraction.py",
        "cache/shard_writer.py",
        "training/devices.py",
    ),
}
"""Files on which a recording's frames rest."""

PACKAGES_OF_FRAMES = ("funasr", "numpy", "soundfile", "soxr", "torch", "transformers")
PACKAGES_OF_COSTS = ("accelerate", *PACKAGES_OF_FRAMES)


@cache
def environment() -> dict[str, Any]:
    """One plain table of facts about this machine and installation."""
    return {
        "harness": harness.__version__,
        "revision": revision(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "system": platform.platform(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "memory_bytes": psutil.virtual_memory().total,
    }


@cache
def code_digest() -> str:
    """SHA-256 over the source that decides outcomes, so that a changed program is seen.

    How things are fetched, reported or printed is left out: it changes no number.
    """
    return _digest_of(DECISIVE)


@cache
def frames_digest() -> str:
    """SHA-256 over the source, and the versions of packages, that make frames of a recording."""
    return _digest_with(OF_FRAMES, PACKAGES_OF_FRAMES)


@cache
def costs_digest() -> str:
    """SHA-256 over the source, and the versions of packages, that decide what things cost."""
    return _digest_with(OF_COSTS, PACKAGES_OF_COSTS)


def _digest_with(sources: Sources, packages: tuple[str, ...]) -> str:
    versions = {name: _version(name) for name in packages}
    return content_digest({"source": _digest_of(sources), "packages": versions})


def _digest_of(sources: Sources) -> str:
    digest = hashlib.sha256()
    for package, names in sources.items():
        folder = Path(package.__path__[0])
        for path in sorted(path for name in names for path in folder.glob(name)):
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def revision() -> str | None:
    """The commit this runs from, with "+changes" if files differ.

    Outside a checkout what `$HARNESS_REVISION` says, as in a container, or else None.
    """
    folder = Path(__file__).resolve().parents[2]
    if not (folder / ".git").exists():
        return os.environ.get("HARNESS_REVISION") or None
    commit = _git(folder, "rev-parse", "HEAD")
    return f"{commit}+changes" if commit and _git(folder, "status", "--porcelain") else commit


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        result = subprocess.run(  # noqa: S603
            ["git", *arguments],  # noqa: S607
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def processor() -> str:
    """The processor's name, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
