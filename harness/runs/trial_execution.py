"""Runs trials: here corpus, backbone, head and fit meet."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pandas as pd
import torch
from accelerate import Accelerator
from torch import Tensor

from backbones.cards import FOREIGN_ERRORS
from harness.data.batches import LabelledSplit
from harness.data.prepared_corpus import Fold, PreparedCorpus, cut_fold, labelled
from harness.interruption import NEVER, StopRequest
from harness.redaction import redacted
from harness.results.environment import environment
from harness.results.provenance import Provenance, fingerprint_of
from harness.results.records import Digests, ProbeScores, Record
from harness.results.seen_before import what_was_seen
from harness.results.store import CHECKPOINTS
from harness.runs.backbone_frames import BackboneFrames
from harness.runs.learning import learn
from harness.runs.probing import Probe, best_of_probes
from harness.runs.trial_data import TrialData
from harness.specs import Trial
from harness.tasks import TASKS
from harness.tasks.scores import SplitScores
from harness.tasks.task import Targets, Task
from harness.training.devices import (
    device_info,
    make_accelerator,
    precision_name,
    status_of,
)
from harness.training.fit_checkpoints import Checkpoints
from harness.training.fit_driver import FitEvent, Fitting, run_fits


@dataclass(frozen=True)
class Outcome:
    """What a trial leaves behind."""

    record: Record
    predictions: pd.DataFrame | None = None
    trained_state: dict[str, Tensor] | None = None


@dataclass(frozen=True)
class Saving:
    """Where the fits of trials save their state, and who may ask them to stop."""

    trials: Path | None = None
    """The folder with a folder a trial; None saves nothing."""
    stop: StopRequest = NEVER


UNSAVED = Saving()


def run_trials(
    trials: Sequence[Trial], frames: BackboneFrames, *, suite: str, saving: Saving = UNSAVED
) -> Generator[FitEvent, None, list[Outcome]]:
    """Train and score a trial, or several side by side; yields their progress.

    Whatever goes wrong in a trial becomes its record, which says so. Each counts an equal share
    of the time that all took.

    Raises:
        Interrupted: they were asked to stop, and have saved what they had.
    """
    started = time.monotonic()
    accelerator = make_accelerator(frames.options.device, trials[0].training.precision)
    work = [_trial(trial, frames, suite, accelerator, saving) for trial in trials]
    outcomes = yield from run_fits(work, accelerator)
    wall_s = (time.monotonic() - started) / len(trials)
    return [_shared(outcome, wall_s, len(trials)) for outcome in outcomes]


def _shared(outcome: Outcome, wall_s: float, trials: int) -> Outcome:
    fit = outcome.record.fit
    changes = {"wall_s": wall_s, "fit": fit and fit.model_copy(update={"side_by_side": trials})}
    return replace(outcome, record=outcome.record.model_copy(update=changes))


def unfinished_record(trial: Trial, prepared: PreparedCorpus, suite: str) -> Record:
    """The record of a trial that has just begun, which says that it failed until it is known."""
    return Record(
        trial_id=trial.trial_id,
        suite=suite,
        trial=trial,
        status="failed",
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        wall_s=0.0,
        classes=list(TASKS[trial.task].load().outputs(prepared.corpus)),
        limited_data=trial.limit_utterances is not None,
        partial_corpus=prepared.partial,
        speaker_overlap=trial.corpus.speaker_overlap == "allowed",
        excluded_utterances=prepared.quality.checked - prepared.quality.used,
        environment=environment(),
    )


def _trial(
    trial: Trial, frames: BackboneFrames, suite: str, accelerator: Accelerator, saving: Saving
) -> Fitting[Outcome]:
    record = unfinished_record(trial, frames.prepared, suite)
    try:
        return (yield from _learn_and_score(trial, frames, record, accelerator, saving))
    except FOREIGN_ERRORS as error:
        failed = {"status": status_of(error), "error": redacted(traceback.format_exc())}
        return Outcome(record.model_copy(update=failed))


def predictions_frame(
    split_name: str, split: LabelledSplit, values: Tensor, outputs: Sequence[str], task: Task
) -> pd.DataFrame:
    """One row an utterance: utterance_id, split, speaker, then the columns of the task.

    Shape:
        values: what the network gives, (N, W)
    """
    utterances = split.utterances
    return pd.DataFrame(
        {
            "utterance_id": [utterance.utterance_id for utterance in utterances],
            "split": split_name,
            "speaker": [utterance.speaker for utterance in utterances],
            **task.prediction_columns(utterances, values, outputs),
        }
    )


def _learn_and_score(
    trial: Trial,
    frames: BackboneFrames,
    record: Record,
    accelerator: Accelerator,
    saving: Saving,
) -> Fitting[Outcome]:
    task, outputs = TASKS[trial.task].load(), record.classes
    backbone, fold = frames.backbone(trial), cut_fold(trial, frames.prepared)
    rests_on = provenance_of(trial, fold, backbone.weights.digest)
    checkpoints = _checkpoints(trial, frames, rests_on, accelerator, saving)
    data = _trial_data(trial, frames, fold, outputs, accelerator, checkpoints)
    train = data.splits["train"].targets

    def scored(name: str, values: Tensor) -> tuple[pd.DataFrame, SplitScores]:
        table = predictions_frame(name, data.splits[name], values, outputs, task)
        loss = data.loss_of(name, values, torch.device("cpu"))
        return table, task.score(table, train, loss)

    reference = best_of_probes(data)
    learned = yield from learn(data)
    found = {name: scored(name, values) for name, values in learned.values.items()}
    finished = record.model_copy(
        update={
            "status": "ok",
            "metrics": {name: scores for name, (_, scores) in found.items()},
            "baselines": dict(task.baselines(train, data.splits["test"].targets, outputs)),
            "probe": reference and _probe_scores(reference, scored),
            "candidates": learned.candidates,
            "chosen": learned.chosen,
            "fit": learned.best.fit,
            "digests": rests_on.digests,
            "fingerprint": rests_on.fingerprint,
            "split_sizes": {name: len(ids) for name, ids in fold.splits.named().items()},
            "splits": dict(fold.contents),
            "sentences_shared": fold.sentences_shared,
            **learned.best.parameters,
            "backbone_depth": len(backbone.layers),
            "emotion_labels_seen": _labels_seen(trial),
            "random_weights": backbone.weights.init == "random",
            "environment": environment() | device_info(accelerator.device),
        }
    )
    tables = [found[name][0] for name in ("dev", "test")]
    return Outcome(finished, pd.concat(tables), learned.best.state)


def _checkpoints(
    trial: Trial,
    frames: BackboneFrames,
    rests_on: Provenance,
    accelerator: Accelerator,
    saving: Saving,
) -> Checkpoints:
    """Those of another fit, were it only of frames that were rounded otherwise, are of no use."""
    same = {
        "inputs": rests_on.digests.model_dump(mode="json"),
        "program": rests_on.fingerprint.model_dump(mode="json"),
        "device": accelerator.device.type,
        "precision": precision_name(accelerator),
        "frames": frames.options.frames if frames.keeps(trial) else "off",
    }
    folder = saving.trials and saving.trials / trial.trial_id / CHECKPOINTS
    return Checkpoints(folder, trial.training.checkpoint_s, same, saving.stop)


def _trial_data(
    trial: Trial,
    frames: BackboneFrames,
    fold: Fold,
    outputs: Sequence[str],
    accelerator: Accelerator,
    checkpoints: Checkpoints,
) -> TrialData:
    prepared, task = frames.prepared, TASKS[trial.task].load()
    encode = partial(task.encode, outputs=outputs)
    crops = {"train": trial.training.crop_s}
    splits = {
        name: labelled(prepared, ids, crops.get(name), encode)
        for name, ids in fold.splits.named().items()
    }
    train = splits["train"].targets

    def score_dev(values: Tensor) -> float:
        # nothing else of the frame is needed at every epoch
        columns = task.prediction_columns(splits["dev"].utterances, values, outputs)
        table = pd.DataFrame(columns)
        return _value(task, table, train, trial.training.early_stopping.metric)

    return TrialData(
        trial=trial,
        frames=frames,
        fold=fold,
        splits=splits,
        outputs=len(outputs),
        loss=task.make_loss(trial.loss, train, outputs),
        score_dev=score_dev,
        accelerator=accelerator,
        checkpoints=checkpoints,
    )


def _value(task: Task, predictions: pd.DataFrame, train: Targets, metric: str) -> float:
    """One metric, which is a tenth of the work of all where sums over utterances give it."""
    sums = task.sufficient_statistics
    if sums is not None:
        found = sums.scores(sums.of_utterances(predictions).sum(axis=0, keepdims=True))
        if metric in found:
            return float(found[metric][0])
    selected = task.score(predictions, train).value(metric)
    return math.nan if selected is None else selected


def _probe_scores(
    probe: Probe, scored: Callable[[str, Tensor], tuple[pd.DataFrame, SplitScores]]
) -> ProbeScores:
    metrics = {name: scored(name, values)[1] for name, values in probe.outputs.items()}
    return ProbeScores(
        kind=probe.kind, setting=probe.setting, settings=probe.settings, metrics=metrics
    )


def provenance_of(trial: Trial, fold: Fold, weights_digest: str) -> Provenance:
    """What a trial's outcome rests on beyond its own words."""
    digests = Digests(
        weights=weights_digest,
        audio=fold.audio_digest,
        split=fold.split_digest,
        data=fold.data_digest,
    )
    return Provenance(digests, fingerprint_of(trial))


def _labels_seen(trial: Trial) -> list[str] | None:
    """As far as it is known without the suite's word."""
    seen = what_was_seen(trial.backbone)
    return None if seen.labels is None else [*seen.labels, *seen.guessed]
