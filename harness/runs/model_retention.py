"""Which trained models stay on disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from safetensors.torch import save_file
from torch import Tensor

from harness.files import atomic_path
from harness.results.records import Record
from harness.results.store import MODEL, ResultsStore


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


def save_model(store: ResultsStore, trial_id: str, trained_state: Mapping[str, Tensor]) -> None:
    """Write the trained tensors of a trial, whole or not at all."""
    with atomic_path(store.trial(trial_id) / MODEL) as temporary:
        save_file(dict(trained_state), temporary, metadata={"trial_id": trial_id})


def _kept_rivals(store: ResultsStore, record: Record) -> list[Record]:
    kept = [store.find_trial(path.parent.name) for path in store.trials.glob(f"*/{MODEL}")]
    return [
        rival
        for rival in kept
        if rival is not None
        and rival.trial_id != record.trial_id
        and _contest(rival) == _contest(record)
    ]


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
