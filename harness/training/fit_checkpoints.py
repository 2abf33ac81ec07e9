"""The state of a trial's fits on disk, so that a run that is killed goes on from there.

Files are written whole or not at all. One that rests on other data, weights, components or another
device than a fit finds now is of no use to it, and is passed over.
"""

from __future__ import annotations

import pickle
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from harness.files import atomic_path
from harness.interruption import NEVER, StopRequest

Snapshot = Callable[[], dict[str, Any]]
"""Tensors and plain values alone, as `torch.save` writes and safely reads."""


@dataclass
class Checkpoints:
    """Of the fits of one trial, which are numbered from 0."""

    folder: Path | None = None
    """None keeps nothing."""
    every_s: float = 0.0
    rests_on: Mapping[str, Any] = field(default_factory=dict)
    stop: StopRequest = NEVER
    _last: float = field(default_factory=time.monotonic)
    _ended: dict[int, dict[str, Any]] = field(default_factory=dict)
    """States of fits that are over, to be written with the next one."""

    def load(self, number: int) -> dict[str, Any] | None:
        """What a fit had come to; None if it begins."""
        if self.folder is None:
            return None
        try:
            with _path(self.folder, number).open("rb") as file:
                found = torch.load(file, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError):
            return None  # there is none, or it was damaged: the fit begins anew
        if not isinstance(found, dict) or found.get("rests_on") != dict(self.rests_on):
            return None
        state: dict[str, Any] = found["state"]
        return state

    def after_step(self, number: int, snapshot: Snapshot) -> None:
        """Save a fit between two steps if it is time to, or if the process is asked to stop.

        Raises:
            Interrupted: it is, and all is saved.
        """
        due = time.monotonic() - self._last >= self.every_s
        if self.folder is not None and (due or self.stop.asked):
            for ended, state in self._ended.items():
                self._save(self.folder, ended, state)
            self._ended.clear()
            self._save(self.folder, number, snapshot())
            self._last = time.monotonic()
        self.stop.check()

    def end(self, number: int, snapshot: Snapshot) -> None:
        """Remember that a fit is over, if others follow."""
        if self.folder is not None:
            self._ended[number] = snapshot()

    def _save(self, folder: Path, number: int, state: dict[str, Any]) -> None:
        """Save a state if that is possible: a fit is worth more than its checkpoint."""
        path = _path(folder, number)
        try:
            with atomic_path(path) as temporary:
                torch.save({"rests_on": dict(self.rests_on), "state": state}, temporary)
        except (OSError, RuntimeError) as error:  # torch's writer has no other for a full disk
            warnings.warn(f"{path} cannot be written, is the disk full? ({error})", stacklevel=2)


def _path(folder: Path, number: int) -> Path:
    return folder / f"fit-{number}.pt"


@dataclass(frozen=True)
class FitCheckpoint:
    """The checkpoint of one fit."""

    of_trial: Checkpoints = field(default_factory=Checkpoints)
    number: int = 0
    others_follow: bool = False

    def load(self) -> dict[str, Any] | None:
        """What the fit had come to; None if it begins."""
        return self.of_trial.load(self.number)

    def after_step(self, snapshot: Snapshot) -> None:
        """See `Checkpoints.after_step`."""
        self.of_trial.after_step(self.number, snapshot)

    def end(self, snapshot: Snapshot) -> None:
        """The fit is over."""
        if self.others_follow:
            self.of_trial.end(self.number, snapshot)


UNSAVED = FitCheckpoint()
"""Of a fit that saves nothing."""
