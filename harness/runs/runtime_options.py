"""What a command may use of the machine it runs on. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

from harness.specs import FramesChoice


@dataclass(frozen=True)
class RuntimeOptions:
    """Where trials run, and what of this machine they may use; it decides no outcome."""

    device: str = "auto"
    """"auto", "cpu" or "cuda[:N]"."""
    offline: bool = False
    """Never touch the network."""
    frames: FramesChoice = "auto"
    """How frames of frozen layers are kept."""
    cache_gb: float = 100.0
    """What kept frames may take on disk."""
    memory_gb: float = 0.0
    """What they may take in memory; the rest is read from disk, through the system's cache."""
