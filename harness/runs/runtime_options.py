"""What a command may use of the machine it runs on. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.errors import UserError
from harness.specs import FramesChoice

EngineName = Literal["process", "inline", "ray"]


@dataclass(frozen=True)
class RuntimeOptions:
    """Where trials run, and what of this machine they may use; it decides no outcome."""

    device: str = "auto"
    """"auto", "cpu", "cuda" or "cuda:N", of which several may stand with commas between them."""
    offline: bool = False
    """Never touch the network."""
    frames: FramesChoice = "auto"
    """How frames of frozen layers are kept."""
    cache_gb: float = 100.0
    """What kept frames may take on disk."""
    memory_gb: float = 0.0
    """What they may take in memory; the rest is read from disk, through the system's cache."""
    engine: EngineName = "process"
    """Who runs the trials: supervised processes, this process itself, or a Ray cluster."""
    jobs: int | None = 1
    """How many workers run side by side on each device; None for as many as pay."""
    threads: int | None = None
    """Threads of arithmetic of each worker; None for a like share of the cores."""

    def __post_init__(self) -> None:
        """Refuse what nothing could run on."""
        for name, value in (("jobs", self.jobs), ("threads", self.threads)):
            if value is not None and value < 1:
                raise UserError(f"{name}: {value} is too few, the least is 1")
