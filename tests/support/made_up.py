"""Made-up outcomes of trials and of cost measurements."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from harness.reporting.report_building import build_report
from harness.reporting.report_model import Report
from harness.results.records import CostRecord, Epoch, Fit, Record, WorkloadCost
from harness.results.seen_before import NOTHING_SAID
from harness.results.seen_statements import SeenStatements
from harness.specs import (
    BackboneSpec,
    CorpusSpec,
    CostSpec,
    CostTrial,
    HeadSpec,
    ProtocolSpec,
    Trial,
)
from harness.tasks.classification.baselines import baselines
from harness.tasks.classification.metrics import score_predictions

CLASSES = ["angry", "happy", "sad"]
DEPTHS = {"wavlm-base": 12, "emotion2vec_plus_base": 12}
STARTED = "2026-01-01T00:00:00+00:00"
FIT = Fit(
    curve=[
        Epoch(epoch=n, train_loss=1.0, dev_loss=0.9, dev_metric=0.5, dev_average=0.5, wall_s=2.0)
        for n in (1, 2)
    ],
    best_epoch=2,
    stopped="epochs",
    steps=8,
    fit_wall_s=4.0,
    frames_from="computed",
    precision="float32",
)


def make_trial(backbone: str = "wavlm-base", fold: int = 1, **changes: Any) -> Trial:
    content: dict[str, Any] = {
        "corpus": CorpusSpec(name="ravdess"),
        "protocol": ProtocolSpec(folds=2),
        "fold": fold,
        "backbone": BackboneSpec(name=backbone),
    }
    return Trial(**content | changes)


def make_predictions(trial: Trial) -> pd.DataFrame:
    generator = np.random.default_rng(int(trial.trial_id, 16))
    count = 30
    frame = pd.DataFrame(
        {
            "utterance_id": [f"{trial.fold}-{index}" for index in range(count)],
            "split": ["dev"] * 6 + ["test"] * (count - 6),
            "speaker": [f"{trial.fold}-{index % 4}" for index in range(count)],
            "label": [CLASSES[index % 3] for index in range(count)],
        }
    )
    for name in CLASSES:
        frame[f"p_{name}"] = generator.random(count) + 0.4 * (frame["label"] == name)
    return frame


def make_record(trial: Trial, predictions: pd.DataFrame | None, **changes: Any) -> Record:
    content: dict[str, Any] = {
        "trial_id": trial.trial_id,
        "suite": "made_up",
        "trial": trial,
        "status": "failed",
        "started_at": STARTED,
        "wall_s": 12.5,
        "classes": CLASSES,
        "random_weights": trial.backbone.init == "random",
        "limited_data": trial.limit_utterances is not None,
    }
    if predictions is not None:
        test = predictions[predictions["split"] == "test"]
        content |= {
            "status": "ok",
            "metrics": {
                name: score_predictions(predictions[predictions["split"] == name])
                for name in ("dev", "test")
            },
            "baselines": baselines(["sad", *CLASSES], test["label"].tolist(), CLASSES),
            "trainable_parameters": 1_500_000,
            "total_parameters": 94_000_000,
            "head_parameters": 1_500_000,
            "backbone_depth": DEPTHS.get(trial.backbone.name),
        }
    return Record(**content | changes)


def make_cost_trial(
    backbone: str, layers: Any, cost: CostSpec, head: HeadSpec | None = None
) -> CostTrial:
    """What is to be measured of a network with random weights."""
    return CostTrial(
        backbone=BackboneSpec(name=backbone, init="random"),
        finetune_layers=layers,
        head=head or HeadSpec(),
        precision="auto",
        frozen_mode="eval",
        cost=cost,
    )


def make_cost(backbone: str = "wavlm-base", layers: Any = 0, **changes: Any) -> CostRecord:
    points = [
        WorkloadCost(
            mode=mode, duration_s=duration, batch_size=batch, samples_s=[1.0], audio_s_per_s=speed
        )
        for mode, duration, batch, speed in (
            ("infer", 3.0, 1, 20.0),
            ("infer", 3.0, 8, 60.0),
            ("infer", 10.0, 8, 55.0),
            ("train", 3.0, 1, 9.0),
            ("train", 3.0, 8, 31.25),
        )
    ]
    content: dict[str, Any] = {
        "cost_id": f"{backbone}{layers}",
        "suite": "made_up",
        "trial": CostTrial.of(make_trial(backbone, finetune_layers=layers), CostSpec()),
        "status": "ok",
        "started_at": STARTED,
        "wall_s": 1.0,
        "device": "cpu",
        "random_weights": False,
        "points": points,
        "peak_rss_bytes": 2**30,
    }
    return CostRecord(**content | changes)


@dataclass
class MadeUpRun:
    """Trials, what came of them, and their predictions."""

    trials: list[Trial] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    costs: list[CostRecord] = field(default_factory=list)
    saved: dict[str, pd.DataFrame] = field(default_factory=dict)

    def add(self, trial: Trial, **changes: Any) -> Record:
        """A trial that ended well, unless the changes say otherwise."""
        failed = changes.get("status", "ok") != "ok"
        predictions = None if failed else make_predictions(trial)
        if predictions is not None:
            self.saved[trial.trial_id] = predictions
        record = make_record(trial, predictions, **changes)
        self.trials.append(trial)
        self.records.append(record)
        return record

    def report(self, planned: Iterable[Trial] = (), said: SeenStatements = NOTHING_SAID) -> Report:
        """What is said of it."""
        return build_report(
            "made_up", self.records, self.costs, self.predictions, planned, said=said
        )

    def predictions(self, record: Record) -> pd.DataFrame:
        """As Store.read_predictions."""
        if record.trial_id not in self.saved:
            raise FileNotFoundError(record.trial_id)
        return self.saved[record.trial_id]
