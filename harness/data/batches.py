"""Batches of utterances of like length, decoded ahead of time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from harness.data import audio
from harness.data.utterances import Utterance

LENGTH_JITTER = 0.1
"""Relative noise on lengths before sorting, so that an epoch's batches differ from the last's."""

BATCHES_AHEAD = 3
DECODING_THREADS = 2

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")


@dataclass(frozen=True)
class Batch:
    """Padded waveforms with their targets.

    Shape:
        waveforms: (B, S), float32, zero beyond each row's length
        lengths: (B,), samples
        targets: (B,), as the task encodes them; (0,) of a split without targets
        indices: positions of the rows in the split they came from
    """

    waveforms: Tensor
    lengths: Tensor
    targets: Tensor
    indices: list[int]

    def to(self, device: torch.device) -> Batch:
        """The same batch on `device`."""
        return Batch(
            self.waveforms.to(device, non_blocking=True),
            self.lengths.to(device, non_blocking=True),
            self.targets.to(device, non_blocking=True),
            self.indices,
        )


@dataclass(frozen=True)
class LabelledSplit:
    """The utterances of one split, with targets and lengths.

    `targets` are as the task encodes them; empty where nothing is to be learned or scored.
    `crop_s` is the longest stretch taken from an utterance, None for all of it.
    """

    utterances: tuple[Utterance, ...]
    targets: tuple[int | float, ...]
    durations_s: tuple[float, ...]
    crop_s: float | None = None

    def seconds(self) -> list[float]:
        """Seconds of audio that each utterance brings to a batch."""
        limit = self.crop_s or float("inf")
        return [min(duration, limit) for duration in self.durations_s]

    def targets_of(self, indices: Sequence[int]) -> Tensor:
        """The targets of a batch, (B,); (0,) of a split without targets."""
        return torch.tensor([self.targets[index] for index in indices] if self.targets else [])


def bucketed(
    durations_s: Sequence[float], batch_seconds: float, seed: Sequence[int] | None = None
) -> list[list[int]]:
    """Cut utterances into batches of like length, none over `batch_seconds` with its padding.

    An utterance longer than that stands alone. With a seed, lengths are jittered before sorting
    and the batches shuffled; without, batches run from long to short.

    >>> bucketed([1.0, 3.0, 1.2, 2.9], batch_seconds=6.0)
    [[1, 3], [2, 0]]
    """
    lengths = np.asarray(durations_s, dtype=np.float64)
    rng = None if seed is None else np.random.default_rng(list(seed))
    keys = lengths if rng is None else lengths * rng.uniform(1, 1 + LENGTH_JITTER, len(lengths))
    plan: list[list[int]] = []
    longest = 0.0
    for index in np.argsort(-keys, kind="stable").tolist():
        longest = max(longest, lengths[index])
        if not plan or longest * (len(plan[-1]) + 1) > batch_seconds:
            plan.append([])
            longest = lengths[index]
        plan[-1].append(index)
    if rng is not None:
        rng.shuffle(plan)
    return plan


def load_batch(split: LabelledSplit, indices: list[int], seed: Sequence[int]) -> Batch:
    """Decode, crop and pad the utterances at `indices`."""
    waves = [_waveform(split, index, seed) for index in indices]
    lengths = torch.tensor([len(wave) for wave in waves])
    waveforms = torch.zeros(len(waves), int(lengths.max()))
    for row, wave in zip(waveforms, waves, strict=True):
        row[: len(wave)] = torch.from_numpy(wave)
    return Batch(waveforms, lengths, split.targets_of(indices), indices)


def stream(
    split: LabelledSplit, plan: Iterable[list[int]], seed: Sequence[int] = ()
) -> Generator[Batch]:
    """The batches of a plan in order, decoded by threads while the previous ones are used."""
    return ahead(plan, lambda indices: load_batch(split, indices, seed))


def ahead(items: Iterable[Item], load: Callable[[Item], Loaded]) -> Generator[Loaded]:
    """Yield `load(item)` in order, with the next few being loaded in the background."""
    waiting = iter(items)
    pool = ThreadPoolExecutor(DECODING_THREADS, thread_name_prefix="decode")
    try:
        futures: list[Future[Loaded]] = [
            pool.submit(load, item) for item in islice(waiting, BATCHES_AHEAD)
        ]
        while futures:
            yield futures.pop(0).result()
            futures.extend(pool.submit(load, item) for item in islice(waiting, 1))
    finally:
        pool.shutdown(cancel_futures=True)


def _waveform(split: LabelledSplit, index: int, seed: Sequence[int]) -> np.ndarray:
    wave = audio.read(split.utterances[index])
    if split.crop_s is None:
        return wave
    width = round(split.crop_s * audio.SAMPLE_RATE_HZ)
    if len(wave) <= width:
        return wave
    start = int(np.random.default_rng([*seed, index]).integers(len(wave) - width + 1))
    return wave[start : start + width]
