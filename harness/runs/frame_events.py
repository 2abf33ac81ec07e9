"""What happens while frames are computed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FramesStarted:
    """Frames of frozen layers are about to be computed."""

    backbone: str
    utterances: int
    depths: int
    size_bytes: int
    batches: int


@dataclass(frozen=True)
class FramesAdvanced:
    """One batch of frames is written."""


@dataclass(frozen=True)
class FramesEnded:
    """All batches that were announced are written."""


FramesEvent = FramesStarted | FramesAdvanced | FramesEnded
