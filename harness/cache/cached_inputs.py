"""Batches gathered from stored frames, ahead of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from backbones.base import Frames
from harness.cache.frame_store import StoredFrames
from harness.data.batches import Batch, LabelledSplit, ahead, load_batch
from harness.training.fit_inputs import AudioInputs, PrefixBatch


@dataclass(frozen=True)
class CachedInputs:
    """Frames of one split, as they lie in the store.

    A recording that is longer than the split's crop is cut anew each epoch, and frames of an
    excerpt are no excerpt of the frames: a batch that holds one goes through the prefix.
    """

    split: LabelledSplit
    sounds: Sequence[str]
    """Digest of each utterance's sound."""
    views: Sequence[StoredFrames]
    """The frames at each of the model's depths."""
    summarised: bool
    """Whether pooling has made one or two vectors of each utterance's frames."""
    audio: AudioInputs

    def batches(self, plan: Iterable[list[int]], seed: Sequence[int] = ()) -> Iterator[PrefixBatch]:
        """The batches of a plan, gathered while the previous ones are used."""
        for loaded in ahead(plan, lambda indices: self._load(indices, seed)):
            yield self.audio.begin(loaded) if isinstance(loaded, Batch) else self._move(loaded)

    def _load(self, indices: list[int], seed: Sequence[int]) -> Batch | PrefixBatch:
        limit = self.split.crop_s
        if limit is not None and any(self.split.durations_s[index] > limit for index in indices):
            return load_batch(self.split, indices, seed)
        states = tuple(self._gather(view, indices) for view in self.views)
        return PrefixBatch(states, self.split.targets_of(indices), indices)

    def _gather(self, view: StoredFrames, indices: Sequence[int]) -> Frames:
        rows = [view.frames[self.sounds[index]] for index in indices]
        return Frames(
            padded(rows).to(view.computed_dtype), torch.tensor([len(row) for row in rows])
        )

    def _move(self, batch: PrefixBatch) -> PrefixBatch:
        device = self.audio.accelerator.device
        states = tuple(Frames(s.values.to(device), s.lengths.to(device)) for s in batch.states)
        if not self.summarised:
            states = self.audio.model.start(states)
        return PrefixBatch(states, batch.targets.to(device), batch.indices)


def padded(rows: Sequence[Tensor]) -> Tensor:
    """Frames of several utterances as one batch, with zeros after the shorter ones.

    In main memory they are copied without torch: its copies would start a second pool of OpenMP
    threads, which in this background thread takes the processor from the first.

    Shape:
        rows: (F, D) each
        output: (B, F, D)

    >>> padded([torch.ones(1, 2), torch.ones(2, 2)]).tolist()
    [[[1.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]]]
    """
    if rows[0].device.type != "cpu":
        return pad_sequence(list(rows), batch_first=True)
    pieces = [row.view(torch.uint8).numpy() for row in rows]
    batch = np.zeros((len(rows), max(map(len, pieces)), pieces[0].shape[1]), np.uint8)
    for target, piece in zip(batch, pieces, strict=True):
        target[: len(piece)] = piece
    return torch.from_numpy(batch).view(rows[0].dtype)
