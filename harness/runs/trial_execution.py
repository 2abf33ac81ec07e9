"""Runs trials: here corpus, backbone, head and fit meet."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial

import pandas as pd
import torch
from accelerate import Accelerator
from torch import Tensor

from backbones.base import Backbone
from harness.cache.cached_inputs import CachedInputs
from harness.data.batches import LabelledSplit
from harness.data.prepared_corpus import Fold, cut_fold, labelled
from harness.model.building import build_model
from harness.redaction import redacted
from harness.results.environment import environment
from harness.results.provenance import Provenance, fingerprint_of
from harness.results.records import Digests, Fit, Record
from harness.runs.backbone_frames import BackboneFrames
from harness.specs import Trial
from harness.tasks import TASKS
from harness.tasks.scores import SplitScores
from harness.tasks.task import Task
from harness.training.devices import device_info, make_accelerator, status_of
from harness.training.fit import fit
from harness.training.fit_driver import FitEvent, Fitting, run_fits
from harness.training.fit_inputs import Inputs
from harness.training.prediction import predict


@dataclass(frozen=True)
class Outcome:
    """What a trial leaves behind."""

    record: Record
    predictions: pd.DataFrame | None = None
    trained_state: dict[str, Tensor] | None = None


def run_trials(
    trials: Sequence[Trial], frames: BackboneFrames, *, suite: str
) -> Generator[FitEvent, None, list[Outcome]]:
    """Train and score a trial, or several side by side; yields their progress.

    Whatever goes wrong in a trial becomes its record, which says so. Each counts an equal share
    of the time that all took.
    """
    started = time.monotonic()
    accelerator = make_accelerator(frames.options.device, trials[0].training.precision)
    work = [_trial(trial, frames, suite, accelerator) for trial in trials]
    outcomes = yield from run_fits(work, accelerator)
    wall_s = (time.monotonic() - started) / len(trials)
    return [_shared(outcome, wall_s, len(trials)) for outcome in outcomes]


def _shared(outcome: Outcome, wall_s: float, trials: int) -> Outcome:
    fit = outcome.record.fit
    changes = {"wall_s": wall_s, "fit": fit and fit.model_copy(update={"side_by_side": trials})}
    return replace(outcome, record=outcome.record.model_copy(update=changes))


def _trial(
    trial: Trial, frames: BackboneFrames, suite: str, accelerator: Accelerator
) -> Fitting[Outcome]:
    prepared = frames.prepared
    record = Record(
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
    try:
        with frames.lent(trial) as backbone:
            return (yield from _train_and_score(trial, frames, backbone, record, accelerator))
    except Exception as error:
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


def _train_and_score(
    trial: Trial,
    frames: BackboneFrames,
    backbone: Backbone,
    record: Record,
    accelerator: Accelerator,
) -> Fitting[Outcome]:
    prepared, task = frames.prepared, TASKS[trial.task].load()
    fold, outputs = cut_fold(trial, prepared), record.classes
    encode = partial(task.encode, outputs=outputs)
    model = build_model(backbone, trial.head, len(outputs), trial.finetune_layers, trial.seed)
    splits = {
        "train": labelled(prepared, fold.splits.train, trial.training.crop_s, encode),
        "dev": labelled(prepared, fold.splits.dev, encode=encode),
        "test": labelled(prepared, fold.splits.test, encode=encode),
    }
    inputs = {
        name: frames.inputs(trial, model, split, accelerator) for name, split in splits.items()
    }
    train = splits["train"].targets
    loss = task.make_loss(trial.loss, train, outputs)

    def score(values: Tensor) -> tuple[float, float]:
        table = predictions_frame("dev", splits["dev"], values, outputs, task)
        selected = task.score(table, train).value(trial.training.early_stopping.metric)
        dev_loss = _loss_of(loss, values, splits["dev"], accelerator.device)
        return dev_loss, math.nan if selected is None else selected

    fitted = yield from fit(
        model,
        loss,
        inputs["train"],
        inputs["dev"],
        score,
        trial.training,
        trial.seed,
        accelerator,
    )

    tables: dict[str, pd.DataFrame] = {}
    metrics: dict[str, SplitScores] = {}
    for name in ("dev", "test"):
        split = splits[name]
        values = predict(model, inputs[name], trial.training.batch_seconds, accelerator)
        tables[name] = predictions_frame(name, split, values, outputs, task)
        split_loss = _loss_of(loss, values, split, torch.device("cpu"))
        metrics[name] = task.score(tables[name], train, split_loss)

    kept = _kept_dtype(inputs["train"])
    rests_on = provenance_of(trial, fold, backbone.weights.digest)
    finished = record.model_copy(
        update={
            "status": "ok",
            "metrics": metrics,
            "baselines": dict(task.baselines(train, splits["test"].targets, outputs)),
            "fit": Fit(
                **asdict(fitted), frames_from="stored" if kept else "computed", frames_dtype=kept
            ),
            "digests": rests_on.digests,
            "fingerprint": rests_on.fingerprint,
            "split_sizes": {name: len(ids) for name, ids in fold.splits.named().items()},
            "trainable_parameters": model.trainable_parameters(),
            "total_parameters": model.total_parameters(),
            "head_parameters": sum(p.numel() for p in model.head_parameters()),
            "backbone_depth": len(backbone.layers),
            "emotion_labels_seen": _labels_seen(backbone),
            "random_weights": backbone.weights.init == "random",
            "environment": environment() | device_info(accelerator.device),
        }
    )
    return Outcome(finished, pd.concat(tables.values()), model.trained_state())


def _kept_dtype(inputs: Inputs) -> str | None:
    """The type in which frames were kept; None where they were computed anew."""
    if not isinstance(inputs, CachedInputs):
        return None
    frames = next(iter(inputs.views[0].frames.values()))
    return str(frames.dtype).removeprefix("torch.")


def provenance_of(trial: Trial, fold: Fold, weights_digest: str) -> Provenance:
    """What a trial's outcome rests on beyond its own words."""
    digests = Digests(
        weights=weights_digest,
        audio=fold.audio_digest,
        split=fold.split_digest,
        data=fold.data_digest,
    )
    return Provenance(digests, fingerprint_of(trial))


def _labels_seen(backbone: Backbone) -> list[str]:
    pretrained = backbone.weights.init == "pretrained"
    return list(backbone.card.emotion_labels_seen) if pretrained else []


def _loss_of(
    loss: torch.nn.Module, values: Tensor, split: LabelledSplit, device: torch.device
) -> float:
    targets = split.targets_of(range(len(split.targets)))
    with torch.no_grad():
        return float(loss.to(device)(values.to(device), targets.to(device)))
