"""What a kept model may be scored on: its own splits, or a corpus of which it learned nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from harness.data.audio_info import audio_digest, same_sound
from harness.data.corpus_reading import corpus_card, find_root
from harness.data.prepared_corpus import Fold, PreparedCorpus, cut_fold, prepare_corpus
from harness.data.readers.audio_files import shortened
from harness.data.splits.split_contents import SplitContent, split_content
from harness.errors import CorpusError, ResultsError, UserError
from harness.progress import Reporter
from harness.results.records import Digests, Record
from harness.specs import CorpusSpec, Trial
from harness.tasks import TASKS

_LEARNED = "learned/"
"""Before the ids of what a model was trained or tuned on, which another corpus may have as well."""


@dataclass(frozen=True)
class EvaluationInputs:
    """What one kept model is scored on."""

    prepared: PreparedCorpus
    splits: Mapping[str, tuple[str, ...]]
    """By the name that predictions have for it, the ids of its utterances."""
    train: tuple[str, ...]
    """Of the same corpus, what was learned from; some scores depend on it."""
    digests: Digests
    contents: Mapping[str, SplitContent]
    sounds_compared: bool
    """Whether it is known that nothing of this was learned from."""


@dataclass(frozen=True)
class PreparedCorpora:
    """Corpora that several models need, each read once."""

    reporter: Reporter
    _known: dict[tuple[CorpusSpec, int | None], PreparedCorpus] = field(default_factory=dict)

    def of(self, trial: Trial) -> PreparedCorpus:
        """What a trial learned from."""
        return self.whole(trial.corpus, trial.limit_utterances)

    def whole(self, spec: CorpusSpec, limit_utterances: int | None = None) -> PreparedCorpus:
        """A corpus, or the part of it that a limit leaves.

        Raises:
            CorpusError: it is missing or unfit.
        """
        if (spec, limit_utterances) not in self._known:
            found = prepare_corpus(spec, limit_utterances, self.reporter)
            self._known[spec, limit_utterances] = found
        return self._known[spec, limit_utterances]


def own_splits(record: Record, corpora: PreparedCorpora) -> EvaluationInputs:
    """The dev and test of the trial itself.

    Raises:
        UserError: its corpus is missing, or no longer what it was.
    """
    prepared = corpora.of(record.trial)
    fold = cut_fold(record.trial, prepared)
    if record.digests is None or not _same(record.digests, fold):
        raise ResultsError(
            f"the recordings or splits of {record.trial.corpus.name} have changed since it was "
            "trained: its test split may hold what it was trained on"
        )
    splits = {name: ids for name, ids in fold.splits.named().items() if name != "train"}
    train, contents = fold.splits.train, fold.contents
    return EvaluationInputs(prepared, splits, train, record.digests, contents, True)


def another_corpus(record: Record, spec: CorpusSpec, corpora: PreparedCorpora) -> EvaluationInputs:
    """All of another corpus.

    Raises:
        UserError: the model knows other classes, or learned from recordings that are in it.
    """
    prepared = corpora.whole(spec)
    if spec.name == record.trial.corpus.name:
        raise UserError(
            f"it was trained on {spec.name}: leave --corpus out to score it on its own test split"
        )
    TASKS[record.trial.task].load().shared_outputs(record.classes, prepared.corpus)
    own = _learned_from(record, corpora)
    if own is None:
        corpora.reporter.note(
            f"{record.trial.corpus.name} is not here as it was: whether {spec.name} holds what "
            f"{record.trial_id} learned from is not checked"
        )
    else:
        _refuse_copies(record.trial, own, prepared)
    ids = tuple(utterance.utterance_id for utterance in prepared.corpus.utterances)
    content = split_content(prepared.corpus.utterances)
    digests = Digests(
        weights=record.digests.weights if record.digests else "",
        audio=audio_digest(prepared.audio_info, ids),
        split=content.digest,
    )
    compared = own is not None
    return EvaluationInputs(prepared, {"test": ids}, (), digests, {"test": content}, compared)


def _same(digests: Digests, fold: Fold) -> bool:
    return (fold.audio_digest, fold.split_digest) == (digests.audio, digests.split)


def _learned_from(record: Record, corpora: PreparedCorpora) -> PreparedCorpus | None:
    """The corpus that a trial learned from; None if it is not here, or no longer as it was."""
    trial = record.trial
    if corpus_card(trial.corpus).needs_root and find_root(trial.corpus) is None:
        return None
    try:
        own = corpora.of(trial)
        fold = cut_fold(trial, own)
    except CorpusError:
        return None
    return own if record.digests and _same(record.digests, fold) else None


def _refuse_copies(trial: Trial, own: PreparedCorpus, other: PreparedCorpus) -> None:
    """Refuse to score a model on what it was trained or tuned on under another name.

    Raises:
        UserError: recordings of the other corpus are copies of those in train or dev.
    """
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
            f"it learned from recordings that {other.corpus.name} holds too: "
            f"{shortened(sorted(shared))}; leave them out, or leave --corpus out to score it "
            "on its own test split"
        )
