"""Which trained models stay on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal

from safetensors.torch import save_file
from torch import Tensor

from harness.files import atomic_path, parse_json, write_text
from harness.results.records import Record
from harness.results.store import MODEL, ResultsStore

BEATEN = "beaten.json"
"""In a suite's results while models are about to be removed."""


def beaten_rivals(
    store: ResultsStore, record: Record, policy: Literal["none", "best", "all"]
) -> list[Record] | None:
    """The kept models that a trial's model takes the place of; None if its own is not kept.

    "best" keeps one model per corpus × backbone, the one with the best dev score among trials
    that differ in nothing but the matrix. Test scores play no part.
    """
    if policy == "none":
        return None
    rivals = _kept_rivals(store, record) if policy == "best" else []
    if any(_dev_score(rival) >= _dev_score(record) for rival in rivals):
        return None
    return rivals


def remove_beaten(store: ResultsStore, rivals: Sequence[Record]) -> None:
    """Remove the models of rivals, now that the winner's record says that its own is there."""
    for rival in rivals:
        (store.trial(rival.trial_id) / MODEL).unlink(missing_ok=True)
    (store.folder / BEATEN).unlink(missing_ok=True)


def note_beaten(store: ResultsStore, winner: str, rivals: Sequence[Record]) -> None:
    """Note what `remove_beaten` will do, in case the run is killed before."""
    noted = {"winner": winner, "rivals": [rival.trial_id for rival in rivals]}
    write_text(store.folder / BEATEN, json.dumps(noted))


def sweep_models(store: ResultsStore) -> None:
    """Do what a run that was killed did not come to."""
    path = store.folder / BEATEN
    if not path.exists():
        return
    noted = parse_json(path.read_text(encoding="utf-8"))
    winner = store.find_trial(noted["winner"])
    rivals = [store.find_trial(trial_id) for trial_id in noted["rivals"]]
    won = winner is not None and winner.status == "ok"
    remove_beaten(store, [rival for rival in rivals if rival] if won else [])


def save_model(store: ResultsStore, trial_id: str, trained_state: Mapping[str, Tensor]) -> None:
    """Write the trained tensors of a trial, whole or not at all."""
    with atomic_path(store.trial(trial_id) / MODEL) as temporary:
        save_file(dict(trained_state), temporary, metadata={"trial_id": trial_id})


def _kept_rivals(store: ResultsStore, record: Record) -> list[Record]:
    return [
        rival
        for rival in _kept(store)
        if rival.trial_id != record.trial_id and _contest(rival) == _contest(record)
    ]


def _kept(store: ResultsStore) -> list[Record]:
    """Of each model of a finished trial that lies there, the record."""
    found = (store.find_trial(path.parent.name) for path in sorted(store.trials.glob(f"*/{MODEL}")))
    return [record for record in found if record is not None and record.status == "ok"]


def _contest(record: Record) -> tuple[object, ...]:
    """What must be equal for two dev scores to be comparable."""
    trial = record.trial
    protocol = trial.protocol.model_copy(update={"only_folds": None})
    metric = trial.training.early_stopping.metric
    rests_on = (record.digests.data, record.digests.weights) if record.digests else ()
    return trial.corpus, trial.backbone, protocol, trial.limit_utterances, metric, rests_on


def _dev_score(record: Record) -> float:
    metric = record.trial.training.early_stopping.metric
    value = record.metrics["dev"].value(metric)
    return float("-inf") if value is None else value
