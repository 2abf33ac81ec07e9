"""Scores kept models again, without training: on their own splits, or on another corpus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd
from accelerate import Accelerator
from torch import Tensor

from backbones.cards import FOREIGN_ERRORS, BackboneError
from harness.config.trial_names import TrialNames
from harness.data.batches import LabelledSplit
from harness.data.prepared_corpus import labelled
from harness.data.splits.split_contents import split_content
from harness.errors import HarnessError, TrialError, UserError
from harness.files import file_digest
from harness.model.ser_model import SERModel
from harness.progress import Reporter
from harness.redaction import redacted
from harness.results.environment import environment
from harness.results.records import SCHEMA_VERSION, Record, Scoring
from harness.results.seen_statements import SeenStatements
from harness.results.store import MODEL, ResultsStore
from harness.runs.evaluation_folders import EvaluationFolders
from harness.runs.evaluation_inputs import (
    EvaluationInputs,
    PreparedCorpora,
    another_corpus,
    own_splits,
)
from harness.runs.kept_models import kept_records, restore
from harness.runs.trial_execution import predictions_frame
from harness.specs import CorpusSpec, ListedCorpus
from harness.tasks import TASKS
from harness.tasks.scores import SplitScores
from harness.training.devices import device_info, make_accelerator
from harness.training.fit_inputs import AudioInputs
from harness.training.prediction import predict


@dataclass(frozen=True)
class NotScored:
    """A kept model that has no scores, and why."""

    trial_id: str
    trial: str
    """The trial in words."""
    reason: str
    failed: bool
    """Whether something is broken; else the model may not be scored there."""

    def line(self) -> str:
        """All of it on one line."""
        word = "failed" if self.failed else "skipped"
        return f"{word}: {self.trial_id}: {self.trial}: {' '.join(self.reason.split())}"


@dataclass(frozen=True)
class Evaluation:
    """What became of the kept models that were to be scored."""

    scored: tuple[str, ...]
    """Trial ids."""
    not_scored: tuple[NotScored, ...]
    stores: tuple[ResultsStore, ...]
    """Folders of results in which their outcomes lie."""

    def raise_for_failures(self) -> None:
        """Do nothing if some model was scored and the others may not be.

        Raises:
            TrialError: something is broken.
            UserError: no model may be scored there.
        """
        lines = [each.line() for each in self.not_scored]
        if any(each.failed for each in self.not_scored):
            raise TrialError("\n".join(["not every kept model could be scored:", *lines]))
        if not self.scored:
            raise UserError("\n".join(["no kept model may be scored:", *lines]))


def evaluate_kept(
    store: ResultsStore,
    trial_id: str | None,
    corpus: CorpusSpec | None,
    reporter: Reporter,
    *,
    device: str = "auto",
    offline: bool = False,
) -> Evaluation:
    """Score every kept model, or that of one trial, and write what comes of it as a run does.

    A model that may not be scored, or cannot, is passed over; the others go on. The outcomes lie
    in `ResultsStore.evaluation`; those there that no longer hold are set aside.

    Args:
        store: results with kept models
        trial_id: only this trial's model; None for all of them
        corpus: score on all of this corpus instead of each trial's own splits
        reporter: told of progress
        device: as for a run
        offline: never touch the network

    Raises:
        UserError: there is no such model, or the other corpus cannot be used.
    """
    records, corpora = kept_records(store, trial_id), PreparedCorpora(reporter)
    names = TrialNames.among(record.trial for record in store.read_trials())
    folders = EvaluationFolders(store, None, None)
    if corpus is not None:
        content = split_content(corpora.whole(corpus).corpus.utterances).digest
        folders = EvaluationFolders(store, corpus.name, content)
    not_scored: list[NotScored] = []
    scored: list[str] = []
    for record in records:
        try:
            inputs = _inputs(record, corpus, corpora)
            model = restore(store, record, offline=offline)
            reporter.note(f"scoring {record.trial_id} on {_amount(inputs)}")
            outcomes = list(_outcomes(store, record, corpus, inputs, model, device))
        except FOREIGN_ERRORS as error:
            own = isinstance(error, HarnessError | BackboneError)
            reason = redacted(str(error) if own else f"{type(error).__name__}: {error}")
            failed = not isinstance(error, UserError)
            told = NotScored(record.trial_id, names.of(record.trial), reason, failed)
            reporter.note(told.line())
            not_scored.append(told)
            continue
        folders.write(outcomes)
        scored.append(record.trial_id)
    if scored:
        folders.write_seen(_said(store, corpus))
    stores = folders.with_outcomes([each.trial_id for each in not_scored])
    return Evaluation(tuple(scored), tuple(not_scored), stores)


def _said(store: ResultsStore, corpus: CorpusSpec | None) -> SeenStatements:
    said = store.read_seen()
    if isinstance(corpus, ListedCorpus) and corpus.known_as is not None:
        return said.joined(SeenStatements(known_as={corpus.name: corpus.known_as}))
    return said


def _inputs(
    record: Record, corpus: CorpusSpec | None, corpora: PreparedCorpora
) -> EvaluationInputs:
    if corpus is None:
        return own_splits(record, corpora)
    return another_corpus(record, corpus, corpora)


def _amount(inputs: EvaluationInputs) -> str:
    utterances = sum(map(len, inputs.splits.values()))
    return f"{utterances} utterances of {inputs.prepared.corpus.name}"


def _outcomes(
    store: ResultsStore,
    record: Record,
    corpus: CorpusSpec | None,
    inputs: EvaluationInputs,
    model: SERModel,
    device: str,
) -> Iterator[tuple[Record, pd.DataFrame]]:
    """One for each choice of outputs: those that the corpus has, and all, if that is more."""
    accelerator = make_accelerator(device, record.trial.training.precision)
    scoring = Scoring(
        corpus=corpus,
        known_outputs=record.classes,
        model=file_digest(store.trial(record.trial_id) / MODEL),
        sounds_compared=inputs.sounds_compared,
        environment=environment() | device_info(accelerator.device),
    )
    task = TASKS[record.trial.task].load()
    outputs = task.shared_outputs(record.classes, inputs.prepared.corpus)
    encode = partial(task.encode, outputs=outputs)
    train = labelled(inputs.prepared, inputs.train, encode=encode).targets if inputs.train else ()
    splits = {
        name: labelled(inputs.prepared, ids, encode=encode) for name, ids in inputs.splits.items()
    }
    values = _values(model, splits, record.trial.training.batch_seconds, accelerator)
    for among in dict.fromkeys((outputs, tuple(record.classes))):
        places = [record.classes.index(name) for name in among]
        frames = {
            name: predictions_frame(name, split, values[name][:, places], among, task)
            for name, split in splits.items()
        }
        scores = {name: task.score(frame, train) for name, frame in frames.items()}
        yield _outcome(record, scoring, inputs, among, scores), pd.concat(frames.values())


def _values(
    model: SERModel,
    splits: Mapping[str, LabelledSplit],
    batch_seconds: float,
    accelerator: Accelerator,
) -> dict[str, Tensor]:
    """Outputs by split, (N, W)."""
    model.to(accelerator.device)
    return {
        name: predict(model, AudioInputs(split, model, accelerator), batch_seconds, accelerator)
        for name, split in splits.items()
    }


def _outcome(
    record: Record,
    scoring: Scoring,
    inputs: EvaluationInputs,
    among: Sequence[str],
    scores: Mapping[str, SplitScores],
) -> Record:
    """The record of the trial, with scores, splits and digests of where it was scored."""
    changes: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "classes": list(among),
        "metrics": {**record.metrics, **scores},
        "digests": inputs.digests,
        "excluded_utterances": inputs.prepared.quality.checked - inputs.prepared.quality.used,
        "splits": dict(inputs.contents),
        "scored": scoring,
    }
    if scoring.corpus is not None:
        changes |= {
            "metrics": dict(scores),
            "split_sizes": {**record.split_sizes, "test": len(inputs.splits["test"])},
            "splits": {**record.splits, **inputs.contents},
            "partial_corpus": record.partial_corpus or inputs.prepared.partial,
            "baselines": None,
            "probe": None,
            "speaker_overlap": False,
            "sentences_shared": None,
        }
    return record.model_copy(update=changes)
