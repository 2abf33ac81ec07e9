"""The models that runs kept, and how to have one back."""

from __future__ import annotations

from safetensors import SafetensorError
from safetensors.torch import load_file

from harness.errors import ResultsError, TrialError
from harness.model.building import build_model, load_backbone
from harness.model.ser_model import SERModel
from harness.results.records import Record
from harness.results.store import MODEL, ResultsStore


def kept_records(store: ResultsStore, trial_id: str | None = None) -> list[Record]:
    """Records of the trials whose models were kept.

    Args:
        store: results
        trial_id: only of this trial; None for all of them

    Raises:
        ResultsError: there is none, or not the one asked for.
    """
    kept = [
        record
        for record in store.read_trials()
        if record.status == "ok" and (store.trial(record.trial_id) / MODEL).exists()
    ]
    chosen = [record for record in kept if trial_id in (None, record.trial_id)]
    if not chosen:
        names = ", ".join(record.trial_id for record in kept) or "none"
        what = f"of trial {trial_id}" if trial_id else "at all"
        raise ResultsError(
            f"no model {what} was kept in {store.folder} (kept: {names}); "
            "run the suite with `keep_models: all`"
        )
    return chosen


def restore(store: ResultsStore, record: Record, *, offline: bool) -> SERModel:
    """The network of a trial with the weights it was kept with.

    Raises:
        ResultsError: the backbone's weights are not those it was trained on.
        TrialError: the file of the model is damaged.
    """
    trial = record.trial
    backbone = load_backbone(trial.backbone, offline=offline)
    if record.digests is None or backbone.weights.digest != record.digests.weights:
        raise ResultsError(
            f"it was trained on other weights of {trial.backbone.name} than those found now "
            f"({backbone.weights.source}); name the right ones as `source:`"
        )
    width = len(record.classes)
    model = build_model(backbone, trial.head, width, trial.finetune_layers, trial.seed)
    path = store.trial(record.trial_id) / MODEL
    try:
        model.load_trained_state(load_file(path))
    except SafetensorError as error:
        raise TrialError(f"{path} is damaged: delete it and run the suite again") from error
    return model.eval()
