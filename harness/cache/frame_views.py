"""Which frames a trial starts from, what of them is kept, and in which type. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backbones.cards import released_layers
from harness.specs import DtypeName, FinetuneLayers, FramesChoice, HeadSpec, Trial

Form = Literal["frames", "statistics"]


@dataclass(frozen=True, order=True)
class FrameView:
    """Frames at one depth of a backbone: all of them, or what a frozen pooling makes of them.

    Depth d lies under the d-th transformer layer; the topmost is finished.
    """

    depth: int
    form: Form = "frames"

    def rows(self, frames: int) -> int:
        """How many vectors an utterance of so many frames has here.

        >>> FrameView(12, "statistics").rows(149), FrameView(9).rows(149)
        (2, 149)
        """
        return {"frames": frames, "statistics": 2}[self.form]


def frame_views(
    head: HeadSpec, finetune_layers: FinetuneLayers, layers: int
) -> tuple[FrameView, ...]:
    """What a trial on a backbone of so many transformer layers starts from.

    Where nothing is released and the pooling learns nothing, two vectors say all there is to know
    of an utterance: its mean, and the deviation, by which frames are standardised. A weighted sum
    of means is the mean of the weighted sum; of standard deviations it is not.

    >>> frame_views(HeadSpec(pooling="statistics"), 3, layers=12)
    (FrameView(depth=9, form='frames'),)
    >>> frame_views(HeadSpec(pooling="mean"), 0, layers=12)
    (FrameView(depth=12, form='statistics'),)
    >>> len(frame_views(HeadSpec(layers="weighted_sum"), 0, layers=12))
    13
    """
    summed = head.layers == "weighted_sum"
    released = released_layers(finetune_layers, layers)
    known = head.pooling == "mean" or (head.pooling == "statistics" and not summed)
    form: Form = "statistics" if released == 0 and known else "frames"
    depths = range(layers + 1) if summed else (layers - released,)
    return tuple(FrameView(depth, form) for depth in depths)


def keeps_frames(trial: Trial, choice: FramesChoice) -> bool:
    """Whether a trial learns from kept frames; in "train" mode its frozen part has dropout."""
    return choice != "off" and trial.training.frozen_mode == "eval"


def stored_dtype(view: FrameView, precision: DtypeName, choice: FramesChoice) -> DtypeName:
    """The type in which frames of a view are kept: summaries, which take no disk, in float32.

    >>> stored_dtype(FrameView(9), "bf16", "auto"), stored_dtype(FrameView(9), "bf16", "float32")
    ('bf16', 'float32')
    """
    if view.form != "frames":
        return "float32"
    return precision if choice == "auto" or choice == "off" else choice
