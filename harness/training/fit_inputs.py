"""Where a fit and a prediction get their batches: frames at the top of the frozen prefix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from accelerate import Accelerator
from torch import Tensor

from backbones.base import Frames
from harness.data.batches import Batch, LabelledSplit, stream
from harness.model.ser_model import SERModel


@dataclass(frozen=True)
class PrefixBatch:
    """A batch as `SERModel.suffix` takes it, on the device, with its targets.

    Shape:
        states: frames at the model's depths, (B, F, D) each
        targets: (B,), as the task encodes them
        indices: positions of the rows in the split they came from
    """

    states: tuple[Frames, ...]
    targets: Tensor
    indices: list[int]


class Inputs(Protocol):
    """One split, as a fit reads it."""

    @property
    def split(self) -> LabelledSplit:
        """Whose batches these are."""

    def batches(self, plan: Iterable[list[int]], seed: Sequence[int] = ()) -> Iterator[PrefixBatch]:
        """The batches of a plan in order; `seed` draws the crops."""


@dataclass(frozen=True)
class AudioInputs:
    """Decodes the recordings and takes them through the frozen prefix, every time anew."""

    split: LabelledSplit
    model: SERModel
    accelerator: Accelerator

    def batches(self, plan: Iterable[list[int]], seed: Sequence[int] = ()) -> Iterator[PrefixBatch]:
        """The batches of a plan, decoded ahead of time."""
        return map(self.begin, stream(self.split, plan, seed))

    def begin(self, batch: Batch) -> PrefixBatch:
        """Take one batch of waveforms through the prefix."""
        moved = batch.to(self.accelerator.device)
        with self.accelerator.autocast():
            states = self.model.prefix(moved.waveforms, moved.lengths)
        return PrefixBatch(states, moved.targets, moved.indices)
