"""What a trial learns: a head by gradients, or a probe without; with the settings dev prefers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from harness.cache.cached_inputs import CachedInputs
from harness.config.choose import candidates
from harness.errors import TrialError
from harness.model.building import build_model
from harness.model.ser_model import SERModel
from harness.results.records import Candidate, Fit
from harness.runs.probing import learn_probe
from harness.runs.trial_data import TrialData
from harness.specs import PROBES, Trial
from harness.training.fit import FitOutcome, fit_all
from harness.training.fit_checkpoints import FitCheckpoint
from harness.training.fit_driver import Fitting
from harness.training.fit_inputs import Inputs
from harness.training.prediction import predict


@dataclass(frozen=True)
class Trained:
    """What training with one candidate leaves behind; test has not been looked at."""

    trial: Trial
    fit: Fit
    dev_score: float
    """The metric that selects, averaged as early stopping does, of the epoch that is kept."""
    parameters: Mapping[str, Any]
    """How many there are, by the names of a record's fields."""
    state: dict[str, Tensor] | None = None
    """What can be kept as a model; None of a probe."""
    outputs: Mapping[str, Tensor] | None = None
    """Of a probe, by split."""


@dataclass(frozen=True)
class Learned:
    """What is scored: the candidate that dev prefers."""

    best: Trained
    values: Mapping[str, Tensor]
    """Outputs by split, (N, W)."""
    candidates: list[Candidate]
    chosen: int | None
    """Its place among the candidates; None if there was nothing to choose."""


def learn(data: TrialData) -> Fitting[Learned]:
    """Learn with every combination of the trial's choices; only the best one sees test.

    Raises:
        TrialError: with none of them the loss stayed a number.
    """
    choices = candidates(data.trial)
    found = yield from _train_all(data, [trial for _, trial in choices])
    trained = {place: each for place, each in enumerate(found) if isinstance(each, Trained)}
    if not trained:
        raise next(each for each in found if isinstance(each, TrialError))
    place = max(trained, key=lambda index: trained[index].dev_score)
    best = trained[place]
    if len(choices) == 1:
        return Learned(best, _outputs(data, best), [], None)
    scores = [
        trained[index].dev_score if index in trained else -math.inf for index in range(len(found))
    ]
    listed = [
        Candidate(settings=settings, dev_score=score if math.isfinite(score) else None)
        for (settings, _), score in zip(choices, scores, strict=True)
    ]
    return Learned(best, _outputs(data, best), listed, place)


def _train_all(data: TrialData, trials: Sequence[Trial]) -> Fitting[list[Trained | TrialError]]:
    """Those that can share their batches and passes do."""
    groups: dict[object, list[int]] = {}
    for place, trial in enumerate(trials):
        shares = trial.finetune_layers == 0 and trial.training.precision != "fp16"
        groups.setdefault(_in_common(trial) if shares else place, []).append(place)
    found: dict[int, Trained | TrialError] = {}
    for number, places in enumerate(groups.values()):
        checkpoint = FitCheckpoint(data.checkpoints, number, number < len(groups) - 1)
        trained = yield from _train(data, [trials[place] for place in places], checkpoint)
        found |= dict(zip(places, trained, strict=True))
    return [found[place] for place in range(len(trials))]


_OWN = ("learning_rate", "weight_decay", "warmup_share", "max_grad_norm", "early_stopping")
"""Settings of training in which those that share their batches and passes may differ."""


def _in_common(trial: Trial) -> str:
    """All words of a trial but those."""
    words = trial.model_dump(mode="json")
    for name in _OWN:
        del words["training"][name]
    words["head"].pop("dropout", None)
    return json.dumps(words)


def _train(
    data: TrialData, trials: Sequence[Trial], checkpoint: FitCheckpoint
) -> Fitting[list[Trained | TrialError]]:
    first = trials[0]
    with data.frames.lent(first) as backbone:
        if first.head.kind in PROBES:
            return [_as_trained(data, trial) for trial in trials]
        models = [
            build_model(backbone, trial.head, data.outputs, trial.finetune_layers, trial.seed)
            for trial in trials
        ]
        train, dev = (
            data.frames.inputs(first, models[0], data.splits[name], data.accelerator)
            for name in ("train", "dev")
        )

        def score(values: Tensor) -> tuple[float, float]:
            return data.loss_of("dev", values, data.accelerator.device), data.score_dev(values)

        specs = [trial.training for trial in trials]
        found = yield from fit_all(
            models, data.loss, train, dev, score, specs, first.seed, data.accelerator, checkpoint
        )
        kept = _kept_dtype(train)
        return [
            each if isinstance(each, TrialError) else _trained(trial, model, each, kept)
            for trial, model, each in zip(trials, models, found, strict=True)
        ]


def _trained(trial: Trial, model: SERModel, found: FitOutcome, kept: str | None) -> Trained:
    source = {"frames_from": "stored" if kept else "computed", "frames_dtype": kept}
    return Trained(
        trial=trial,
        fit=Fit.model_validate(asdict(found) | source),
        dev_score=_dev_score(found),
        parameters={
            "trainable_parameters": model.trainable_parameters(),
            "total_parameters": model.total_parameters(),
            "head_parameters": sum(p.numel() for p in model.head_parameters()),
        },
        state=model.trained_state(),
    )


def _as_trained(data: TrialData, trial: Trial) -> Trained:
    found, fit_of_probe, parameters = learn_probe(data, trial)
    return Trained(trial, fit_of_probe, found.dev_score, parameters, outputs=found.outputs)


def _outputs(data: TrialData, best: Trained) -> Mapping[str, Tensor]:
    """Those of each split, by the model of the epoch that is kept; of a probe not of train."""
    if best.state is None:
        return best.outputs or {}
    trial = best.trial
    with data.frames.lent(trial) as backbone:
        model = build_model(backbone, trial.head, data.outputs, trial.finetune_layers, trial.seed)
        model.load_trained_state(best.state)
        model.to(data.accelerator.device)
        return {
            name: predict(
                model,
                data.frames.inputs(trial, model, data.splits[name], data.accelerator),
                trial.training.batch_seconds,
                data.accelerator,
            )
            for name in ("train", "dev", "test")
        }


def _dev_score(found: FitOutcome) -> float:
    kept = [epoch.dev_average for epoch in found.curve if epoch.epoch == found.best_epoch]
    return kept[0] if kept and not math.isnan(kept[0]) else -math.inf


def _kept_dtype(inputs: Inputs) -> str | None:
    """The type in which frames were kept; None where they were computed anew."""
    if not isinstance(inputs, CachedInputs):
        return None
    frames = next(iter(inputs.views[0].frames.values()))
    return str(frames.dtype).removeprefix("torch.")
