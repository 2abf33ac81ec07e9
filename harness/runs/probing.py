"""Fits probes: classifiers on pooled frames of the frozen backbone, settings chosen on dev."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from harness.data.batches import LabelledSplit
from harness.model.standardise import MIN_DEVIATION
from harness.results.records import Fit
from harness.runs.trial_data import TrialData
from harness.specs import Trial
from harness.tasks import TASKS
from harness.tasks.task import FittedProbe, Floats
from harness.training.devices import precision_name

Vectors = Mapping[str, Floats]
"""By split, one vector an utterance, (N, P)."""


@dataclass(frozen=True)
class Probe:
    """A probe with the setting that dev scores best."""

    kind: str
    setting: str
    """Such as "C = 0.01"."""
    settings: int
    """From how many it was chosen."""
    dev_score: float
    outputs: Mapping[str, Tensor]
    """By split, (N, W)."""


def learn_probe(data: TrialData, trial: Trial) -> tuple[Probe, Fit, dict[str, int]]:
    """Fit the probe that is a trial's head, its classes weighed as the trial's loss weighs them.

    Returns:
        the probe, how it went, and how many parameters there are by the names of a record's fields
    """
    started = time.monotonic()
    train, kind = data.splits["train"], trial.head.kind
    weighted = trial.loss == "weighted_cross_entropy"
    weights = balanced_weights(train, data.outputs) if weighted else np.ones(data.outputs)
    vectors = pooled_vectors(data)
    if trial.head.pooling == "mean":
        vectors = {name: rows[:, : rows.shape[1] // 2] for name, rows in vectors.items()}
    found = best_probe(data, kind, vectors, weights)
    linear = data.outputs * (vectors["train"].shape[1] + 1)
    learned = linear if kind == "logistic_regression" else 0
    fit = Fit(
        curve=[],
        best_epoch=0,
        stopped="converged",
        steps=0,
        fit_wall_s=time.monotonic() - started,
        frames_from="stored" if data.frames.keeps(trial) else "computed",
        precision=precision_name(data.accelerator),
        setting=f"{found.setting}, of {found.settings}",
        settings=found.settings,
    )
    return (
        found,
        fit,
        {
            "trainable_parameters": learned,
            "total_parameters": data.frames.parameters(trial) + learned,
            "head_parameters": learned,
        },
    )


def pooled_vectors(data: TrialData) -> Vectors:
    """Mean and deviation of the frames of each utterance, by split; whole utterances."""
    return {
        name: data.frames.pooled_vectors(data.trial, split, data.accelerator)
        for name, split in data.splits.items()
    }


def best_of_probes(data: TrialData) -> Probe | None:
    """The best of all kinds on dev, fitted once for each fold; None if the task has none.

    Every class counts the same, whatever the trial's loss, so that all trials on a fold have the
    same probe.
    """
    kinds = TASKS[data.trial.task].probes
    metric = data.trial.training.early_stopping.metric
    key = (data.fold.split_digest, metric, precision_name(data.accelerator))
    if key not in data.frames.probes and kinds:
        weights = balanced_weights(data.splits["train"], data.outputs)
        vectors = pooled_vectors(data)
        found = [best_probe(data, kind, vectors, weights) for kind in kinds]
        data.frames.probes[key] = max(found, key=lambda probe: probe.dev_score)
    return data.frames.probes.get(key)


def best_probe(data: TrialData, kind: str, vectors: Vectors, weights: Floats) -> Probe:
    """Fit a probe with each of its settings; the one that is best on dev, the first of equals.

    Args:
        data: where it is fitted
        kind: one of the task's
        vectors: by split
        weights: what an utterance with each of the outputs counts
    """
    scaled = _standardised(vectors)
    targets = np.array(data.splits["train"].targets, dtype=np.int64)
    found: list[tuple[float, FittedProbe]] = []
    # such products are too small to share: on 16 cores their threads took ten times as long
    with threadpool_limits(limits=1, user_api="blas"):
        for fitted in TASKS[data.trial.task].probe(kind)(scaled["train"], targets, weights):
            score = data.score_dev(_outputs(fitted, scaled["dev"]))
            found.append((-math.inf if math.isnan(score) else score, fitted))
    score, best = max(found, key=lambda each: each[0])
    outputs = {name: _outputs(best, scaled[name]) for name in ("dev", "test")}
    return Probe(kind, best.setting, len(found), score, outputs)


def _outputs(fitted: FittedProbe, vectors: Floats) -> Tensor:
    return torch.from_numpy(fitted.values(vectors)).float()


def balanced_weights(train: LabelledSplit, outputs: int) -> Floats:
    """N / (C · n_c), so that every class counts the same; 0 for one that train lacks.

    >>> balanced_weights(LabelledSplit((), (0, 0, 1), ()), outputs=2).tolist()
    [0.75, 1.5]
    """
    counts = np.bincount(np.array(train.targets, dtype=np.int64), minlength=outputs)
    weights: Floats = len(train.targets) / (outputs * np.maximum(counts, 1))
    return np.where(counts > 0, weights, 0.0)


def _standardised(vectors: Vectors) -> dict[str, Floats]:
    mean, deviation = vectors["train"].mean(axis=0), vectors["train"].std(axis=0)
    deviation = np.where(deviation > MIN_DEVIATION, deviation, 1.0)
    return {name: (rows - mean) / deviation for name, rows in vectors.items()}
