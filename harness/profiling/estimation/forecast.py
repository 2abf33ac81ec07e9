"""From lengths of utterances, work and speed to seconds and bytes. Nothing is timed here.

Frames are computed once for all trials on a corpus × backbone, as if none were kept yet. Every
trial is taken to run for all its epochs: early stopping may end it sooner.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from harness.cache.disk_space import view_bytes
from harness.cache.extraction import BATCH_SECONDS
from harness.cache.frame_views import FrameView, keeps_frames, stored_dtype
from harness.data.batches import LabelledSplit, bucketed
from harness.data.prepared_corpus import Fold, PreparedCorpus, cut_fold, labelled
from harness.profiling.estimation.backbone_profile import BackboneProfile
from harness.specs import PROBES, FramesChoice, Trial
from harness.tasks import TASKS
from harness.training.devices import precision_name
from harness.training.optimisation import enough_epochs


@dataclass(frozen=True)
class Amount:
    """Time and disk, expected or taken."""

    extraction_s: float = 0.0
    training_s: float = 0.0
    """Dev and test included."""
    frames_bytes: int = 0

    @property
    def wall_s(self) -> float:
        """All the time."""
        return self.extraction_s + self.training_s

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.extraction_s + other.extraction_s,
            self.training_s + other.training_s,
            self.frames_bytes + other.frames_bytes,
        )


@dataclass(frozen=True)
class BatchShape:
    """What decides how long a batch takes."""

    rows: int
    longest_s: float
    cropped: bool
    """Whether it holds an excerpt of a longer utterance, whose frames are never kept."""


def amount(
    trials: Sequence[Trial],
    prepared: PreparedCorpus,
    profile: BackboneProfile,
    frames: FramesChoice = "auto",
) -> Amount:
    """What trials on one corpus × backbone, alike in precision, will take."""
    folds = {trial.fold: cut_fold(trial, prepared) for trial in trials}
    kept = [trial for trial in trials if keeps_frames(trial, frames)]
    training_s = sum(
        _training_s(trial, _splits(trial, prepared, folds[trial.fold]), profile, trial in kept)
        for trial in trials
    )
    if not kept:
        return Amount(0.0, training_s)
    durations_s = _distinct_durations(prepared, [folds[trial.fold] for trial in kept])
    views = {view for trial in kept for view in profile.views(trial)}
    if any(TASKS[trial.task].probes for trial in kept):
        views.add(FrameView(len(profile.backbone.layers), "statistics"))
    precision = precision_name(profile.accelerator)
    size_bytes = sum(
        view_bytes(view, stored_dtype(view, precision, frames), durations_s, profile.backbone)
        for view in views
    )
    return Amount(_extraction_s(durations_s, views, profile), training_s, size_bytes)


def _extraction_s(
    durations_s: Sequence[float], views: set[FrameView], profile: BackboneProfile
) -> float:
    depth = max(view.depth for view in views)
    return sum(
        profile.prefix_s(batch.rows, profile.frames(batch.longest_s), depth)
        for batch in batch_shapes(tuple(durations_s), None, BATCH_SECONDS)
    )


def _training_s(
    trial: Trial, splits: dict[str, LabelledSplit], profile: BackboneProfile, kept: bool
) -> float:
    if trial.head.kind in PROBES:
        return 0.0
    epochs = _epochs(trial, splits["train"])
    times = {"train": epochs, "dev": epochs + 1, "test": 1}
    # twice to standardise on it, and once to score it
    looked_at_s = 3 * _pass_s(trial, splits["train"], profile, kept, training=False)
    return looked_at_s + sum(
        times[name] * _pass_s(trial, split, profile, kept, training=name == "train")
        for name, split in splits.items()
    )


def _epochs(trial: Trial, train: LabelledSplit) -> int:
    """How many there are, so that there are enough steps."""
    training = trial.training
    batches = len(batch_shapes(train.durations_s, train.crop_s, training.batch_seconds))
    return training.epochs or enough_epochs(math.ceil(batches / training.accumulation_steps))


def _pass_s(
    trial: Trial, split: LabelledSplit, profile: BackboneProfile, kept: bool, *, training: bool
) -> float:
    """Seconds of one pass over a split."""
    depth = max(view.depth for view in profile.views(trial))
    total = 0.0
    for batch in batch_shapes(split.durations_s, split.crop_s, trial.training.batch_seconds):
        frames = profile.frames(batch.longest_s)
        total += profile.suffix_s(batch.rows, frames, trial, training=training)
        if batch.cropped or not kept:
            total += profile.prefix_s(batch.rows, frames, depth)
    return total


@cache
def batch_shapes(
    durations_s: tuple[float, ...], crop_s: float | None, batch_seconds: float
) -> tuple[BatchShape, ...]:
    """The batches that utterances are cut into.

    >>> shapes = batch_shapes((1.0, 3.0, 1.2, 2.9), None, batch_seconds=6.0)
    >>> [(shape.rows, shape.longest_s) for shape in shapes]
    [(2, 3.0), (2, 1.2)]
    """
    limit = crop_s or float("inf")
    cropped_s = [min(duration, limit) for duration in durations_s]
    return tuple(
        BatchShape(
            len(indices),
            max(cropped_s[index] for index in indices),
            any(durations_s[index] > limit for index in indices),
        )
        for indices in bucketed(cropped_s, batch_seconds)
    )


def _splits(trial: Trial, prepared: PreparedCorpus, fold: Fold) -> dict[str, LabelledSplit]:
    crops = {"train": trial.training.crop_s}
    return {
        name: labelled(prepared, ids, crops.get(name)) for name, ids in fold.splits.named().items()
    }


def _distinct_durations(prepared: PreparedCorpus, folds: Sequence[Fold]) -> list[float]:
    """Seconds of each different sound that the folds use."""
    used = {name for fold in folds for ids in fold.splits.named().values() for name in ids}
    sounds = {
        info.sha256: info.duration_s for info in prepared.audio_info if info.utterance_id in used
    }
    return [duration for duration in sounds.values() if duration]
