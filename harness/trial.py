"""Runs one trial: the one room where corpus, backbone, head and fit meet."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import torch
from accelerate import Accelerator
from torch import Tensor

from harness.analysis.baselines import baselines
from harness.analysis.metrics import class_counts, score_predictions
from harness.batches import LabelledSplit
from harness.ground import Fold, Ground, cut_fold, labelled
from harness.heads import LOSSES
from harness.heads.build import build_model, load_backbone
from harness.records.environment import code_digest, environment
from harness.records.schema import Digests, Fit, Record, SplitMetrics
from harness.suite.schema import Trial
from harness.training.device import device_facts, make_accelerator, status_of
from harness.training.fit import Watch, fit
from harness.training.predict import predict


@dataclass(frozen=True)
class Outcome:
    """What a trial leaves behind."""

    record: Record
    predictions: pd.DataFrame | None = None
    trained_state: dict[str, Tensor] | None = None


def run_trial(
    trial: Trial,
    ground: Ground,
    *,
    suite: str,
    device: str = "auto",
    offline: bool = False,
    watch: Watch = Watch(),
) -> Outcome:
    """Train and score one trial; whatever goes wrong becomes a record that says so."""
    started = time.monotonic()
    record = Record(
        trial_id=trial.trial_id,
        suite=suite,
        trial=trial,
        status="failed",
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        wall_s=0.0,
        classes=list(ground.corpus.classes),
        limited_data=trial.limit_utterances is not None,
        partial_corpus=ground.partial,
        speaker_overlap=trial.corpus.speaker_overlap == "allowed",
        excluded_utterances=ground.quality.checked - ground.quality.used,
        environment=environment(),
    )
    outcome = Outcome(record)
    changes: dict[str, Any]
    try:
        accelerator = make_accelerator(device, trial.training.precision)
        outcome, changes = _train_and_score(trial, ground, record, accelerator, offline, watch)
    except Exception as error:
        changes = {"status": status_of(error), "error": traceback.format_exc()}
    changes["wall_s"] = time.monotonic() - started
    finished = outcome.record.model_copy(update=changes)
    return Outcome(finished, outcome.predictions, outcome.trained_state)


def predictions_frame(
    split_name: str, split: LabelledSplit, logits: Tensor, classes: Sequence[str]
) -> pd.DataFrame:
    """One row an utterance: utterance_id, split, speaker, label, then p_<class> for each class.

    Shape:
        logits: (N, C)
    """
    frame = pd.DataFrame(
        {
            "utterance_id": [utterance.utterance_id for utterance in split.utterances],
            "split": split_name,
            "speaker": [utterance.speaker for utterance in split.utterances],
            "label": [utterance.label for utterance in split.utterances],
        }
    )
    probabilities = logits.double().softmax(1).numpy()
    for index, name in enumerate(classes):
        frame[f"p_{name}"] = probabilities[:, index]
    return frame


def _train_and_score(
    trial: Trial,
    ground: Ground,
    record: Record,
    accelerator: Accelerator,
    offline: bool,
    watch: Watch,
) -> tuple[Outcome, dict[str, Any]]:
    classes = ground.corpus.classes
    fold = cut_fold(trial, ground)
    train = labelled(ground, fold.splits.train, trial.training.crop_s)
    dev = labelled(ground, fold.splits.dev)
    test = labelled(ground, fold.splits.test)
    counts = class_counts(_labels(train), classes)

    backbone = load_backbone(trial.backbone, offline=offline)
    backbone.frozen_mode = trial.training.frozen_mode
    model = build_model(backbone, trial.head, len(classes), trial.finetune_layers, trial.seed)
    loss = LOSSES[trial.loss].load()(list(counts.values()))
    fitted = fit(
        model,
        loss,
        train,
        dev,
        classes,
        trial.training,
        trial.seed,
        accelerator,
        watch,
    )

    frames: dict[str, pd.DataFrame] = {}
    metrics: dict[str, SplitMetrics] = {}
    for name, split in (("dev", dev), ("test", test)):
        logits = predict(model, split, trial.training.batch_seconds, accelerator)
        frames[name] = predictions_frame(name, split, logits, classes)
        metrics[name] = score_predictions(frames[name], counts, _loss_of(loss, logits, split))

    outcome = Outcome(record, pd.concat(frames.values()), model.trained_state())
    return outcome, {
        "status": "ok",
        "metrics": metrics,
        "baselines": baselines(_labels(train), _labels(test), classes),
        "fit": Fit(**asdict(fitted), frames_from="computed"),
        "digests": digests_of(fold, backbone.weights.digest),
        "split_sizes": {name: len(ids) for name, ids in fold.splits.named().items()},
        "trainable_parameters": model.trainable_parameters(),
        "total_parameters": model.total_parameters(),
        "head_parameters": sum(p.numel() for p in model.head_parameters()),
        "random_weights": backbone.weights.init == "random",
        "environment": environment() | device_facts(accelerator.device),
    }


def digests_of(fold: Fold, weights_digest: str) -> Digests:
    """What a trial's outcome rests on beyond its own words."""
    return Digests(
        weights=weights_digest,
        audio=fold.audio_digest,
        split=fold.split_digest,
        code=code_digest(),
    )


def _loss_of(loss: torch.nn.Module, logits: Tensor, split: LabelledSplit) -> float:
    with torch.no_grad():
        return float(loss.cpu()(logits, torch.tensor(split.labels)))


def _labels(split: LabelledSplit) -> list[str]:
    return [utterance.label for utterance in split.utterances]
