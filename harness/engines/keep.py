"""Which trained models stay on disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from safetensors.torch import save_file
from torch import Tensor

from harness.files import atomic_path
from harness.records.schema import Record
from harness.records.store import MODEL, Store


def keep_model(
    store: Store,
    record: Record,
    trained_state: Mapping[str, Tensor],
    policy: Literal["none", "best", "all"],
) -> None:
    """Save the trained tensors of a trial if the policy wants them.

    "best" keeps one model per corpus × backbone, the one with the best dev score, and removes
    the one that it beats. Test scores play no part.
    """
    if policy == "none":
        return
    rivals = _kept_rivals(store, record) if policy == "best" else []
    if any(_dev_score(rival) >= _dev_score(record) for rival in rivals):
        return
    with atomic_path(store.trial(record.trial_id) / MODEL) as temporary:
        save_file(dict(trained_state), temporary, metadata={"trial_id": record.trial_id})
    for rival in rivals:
        (store.trial(rival.trial_id) / MODEL).unlink()


def _kept_rivals(store: Store, record: Record) -> list[Record]:
    kept = [store.find_trial(path.parent.name) for path in store.trials.glob(f"*/{MODEL}")]
    return [
        rival
        for rival in kept
        if rival is not None
        and rival.trial_id != record.trial_id
        and rival.trial.corpus == record.trial.corpus
        and rival.trial.backbone == record.trial.backbone
    ]


def _dev_score(record: Record) -> float:
    metric = record.trial.training.early_stopping.metric
    return float(getattr(record.metrics["dev"], metric))
