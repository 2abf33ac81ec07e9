"""What the outcome was made with: packages, processor, system, revision. No torch here."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

import backbones
import harness

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


@cache
def environment() -> dict[str, Any]:
    """One plain table of facts about this machine and installation."""
    return {
        "harness": harness.__version__,
        "revision": revision(),
        "source": source_digest(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "system": platform.platform(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "memory_bytes": psutil.virtual_memory().total,
    }


@cache
def source_digest() -> str:
    """SHA-256 over the source of both packages: a note of what ran, on which nothing rests."""
    digest = hashlib.sha256()
    for package in (backbones, harness):
        folder = Path(package.__path__[0])
        for path in sorted(folder.rglob("*.py")):
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
