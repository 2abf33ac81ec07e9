"""Scores kept models again, without training: on their own test split, or on another corpus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import pandas as pd
from safetensors import SafetensorError
from safetensors.torch import load_file

from harness.data.audio_info import same_sound
from harness.data.corpus_reading import corpus_card, find_root
from harness.data.prepared_corpus import PreparedCorpus, cut_fold, labelled, prepare_corpus
from harness.data.readers.audio_files import shortened
from harness.errors import ResultsError, UserError
from harness.model.building import build_model, load_backbone
from harness.model.ser_model import SERModel
from harness.progress import Reporter
from harness.results.flags import flags
from harness.results.group_scores import metrics_of
from harness.results.records import Record
from harness.results.store import MODEL, ResultsStore
from harness.runs.trial_execution import predictions_frame
from harness.specs import CorpusSpec
from harness.tasks import TASKS
from harness.tasks.scores import SplitScores
from harness.training.devices import make_accelerator
from harness.training.fit_inputs import AudioInputs
from harness.training.prediction import predict

_LEARNED = "learned/"
"""Before the ids of what a model was trained or tuned on, which another corpus may have as well."""


def evaluate_kept(
    store: ResultsStore,
    trial_id: str | None,
    corpus: CorpusSpec | None,
    reporter: Reporter,
    *,
    device: str = "auto",
    offline: bool = False,
) -> pd.DataFrame:
    """Score every kept model, or that of one trial; one row a model and a choice.

    Args:
        store: Results with kept models.
        trial_id: Only this trial's model; None for all of them.
        corpus: Score on all of this corpus instead of each trial's own test split.
        reporter: Told of progress.
        device: As for a run.
        offline: Never touch the network.

    Raises:
        UserError: there is no such model, or it cannot be scored on that corpus.
    """
    records = kept_records(store, trial_id)
    prepared_corpora: dict[tuple[CorpusSpec, int | None], PreparedCorpus] = {}
    rows = []
    for record in records:
        trial = record.trial
        spec, limit = (corpus, None) if corpus else (trial.corpus, trial.limit_utterances)
        if (spec, limit) not in prepared_corpora:
            prepared_corpora[spec, limit] = prepare_corpus(spec, limit, reporter)
        prepared = prepared_corpora[spec, limit]
        ids = _all_of_another(record, prepared) if corpus else _own_test(record, prepared)
        if corpus:
            _refuse_what_was_learned(record, prepared, reporter)
        model = restore(store, record, offline=offline)
        reporter.note(f"scoring {record.trial_id} on {len(ids)} utterances of {spec.name}")
        for among, scores in _scores(record, prepared, ids, model, device).items():
            rows.append(_row(record, spec, among, scores))
    return pd.DataFrame(rows)


def kept_records(store: ResultsStore, trial_id: str | None) -> list[Record]:
    """Records of the trials whose models were kept.

    Raises:
        ResultsError: there is none, or not the one asked for.
    """
    kept = [r for r in store.read_trials() if (store.trial(r.trial_id) / MODEL).exists()]
    chosen = [r for r in kept if trial_id in (None, r.trial_id)]
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
    """
    trial = record.trial
    backbone = load_backbone(trial.backbone, offline=offline)
    if record.digests is None or backbone.weights.digest != record.digests.weights:
        raise ResultsError(
            f"trial {trial.trial_id} was trained on other weights of {trial.backbone.name} than "
            f"those found now ({backbone.weights.source}); name the right ones as `source:`"
        )
    width = len(record.classes)
    model = build_model(backbone, trial.head, width, trial.finetune_layers, trial.seed)
    path = store.trial(record.trial_id) / MODEL
    try:
        model.load_trained_state(load_file(path))
    except SafetensorError as error:
        raise ResultsError(f"{path} is damaged: delete it and run the suite again") from error
    return model.eval()


def _own_test(record: Record, prepared: PreparedCorpus) -> tuple[str, ...]:
    fold = cut_fold(record.trial, prepared)
    digests = record.digests
    if digests is None or (fold.audio_digest, fold.split_digest) != (digests.audio, digests.split):
        raise ResultsError(
            f"the recordings or splits of {record.trial.corpus.name} have changed since trial "
            f"{record.trial_id}: its test split may hold what it was trained on"
        )
    return fold.splits.test


def _refuse_what_was_learned(record: Record, other: PreparedCorpus, reporter: Reporter) -> None:
    """Refuse to score a model on what it was trained or tuned on under another name.

    Raises:
        UserError: recordings of the other corpus are copies of those in train or dev.
    """
    trial = record.trial
    if corpus_card(trial.corpus).needs_root and find_root(trial.corpus) is None:
        reporter.note(f"{trial.corpus.name} is not here: whether it shares sounds is not checked")
        return
    own = prepare_corpus(trial.corpus, trial.limit_utterances, reporter)
    splits = cut_fold(trial, own).splits
    learned = {*splits.train, *splits.dev}
    mixed = [
        *(replace(i, utterance_id=f"{_LEARNED}{i.utterance_id}") for i in own.audio_info
          if i.utterance_id in learned),
        *other.audio_info,
    ]  # fmt: skip
    shared = [
        name
        for ids in same_sound(mixed)
        if any(each.startswith(_LEARNED) for each in ids)
        for name in ids
        if not name.startswith(_LEARNED)
    ]
    if shared:
        raise UserError(
            f"trial {record.trial_id} learned from recordings that {other.corpus.name} holds too: "
            f"{shortened(sorted(shared))}; leave them out, or leave --corpus out to score it "
            "on its own test split"
        )


def _all_of_another(record: Record, prepared: PreparedCorpus) -> tuple[str, ...]:
    if prepared.corpus.name == record.trial.corpus.name:
        raise UserError(
            f"trial {record.trial_id} was trained on {prepared.corpus.name}: leave --corpus out to "
            "score it on its own test split"
        )
    TASKS[record.trial.task].load().shared_outputs(record.classes, prepared.corpus)
    return tuple(utterance.utterance_id for utterance in prepared.corpus.utterances)


def _scores(
    record: Record, prepared: PreparedCorpus, ids: Iterable[str], model: SERModel, device: str
) -> dict[tuple[str, ...], SplitScores]:
    """By the outputs that it chooses among: those that the corpus has, and all of its own."""
    training, task = record.trial.training, TASKS[record.trial.task].load()
    outputs = task.shared_outputs(record.classes, prepared.corpus)
    accelerator = make_accelerator(device, training.precision)
    split = labelled(prepared, tuple(ids), encode=partial(task.encode, outputs=outputs))
    inputs = AudioInputs(split, model.to(accelerator.device), accelerator)
    values = predict(model, inputs, training.batch_seconds, accelerator)
    found: dict[tuple[str, ...], SplitScores] = {}
    for among in dict.fromkeys((outputs, tuple(record.classes))):
        places = [record.classes.index(name) for name in among]
        found[among] = task.score(predictions_frame("test", split, values[:, places], among, task))
    return found


def _row(
    record: Record, spec: CorpusSpec, among: Sequence[str], scores: SplitScores
) -> dict[str, object]:
    return {
        "trial_id": record.trial_id,
        "backbone": record.trial.backbone.name,
        "finetune_layers": record.trial.finetune_layers,
        "trained_on": record.trial.corpus.name,
        "scored_on": spec.name,
        "chosen_among": f"{len(among)} of {len(record.classes)} outputs",
        "utterances": scores.utterances,
        **metrics_of(record.trial, scores),
        "flags": ", ".join(flags([record.trial], [record])),
    }
