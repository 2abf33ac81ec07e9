"""What of a plan can be checked before anything is decoded or loaded. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

from backbones.cards import BackboneError
from backbones.hub.local_files import locate
from harness.backbone_card import card_of
from harness.data.corpus_reading import corpus_card, find_root, read_corpus
from harness.data.splits import leakage
from harness.data.splits.folds import absent_classes, split
from harness.data.splits.speaker_doubts import speaker_doubts
from harness.data.subset import subset
from harness.data.utterances import Corpus
from harness.errors import UserError
from harness.specs import BackboneSpec, CorpusSpec, Trial
from harness.tasks import TASKS


@dataclass(frozen=True)
class PlanChecks:
    """What was found, each once and in the order of the trials."""

    mistakes: tuple[str, ...]
    """What a run would refuse."""
    notes: tuple[str, ...]
    """What a run would do, and its user may not want."""


def check_plan(trials: tuple[Trial, ...]) -> PlanChecks:
    """Read the lists of the corpora on this machine, cut every fold, and look for weights.

    A corpus or weights that are not here are noted: a plan may be made elsewhere than it is run.
    """
    mistakes: list[str] = []
    notes: list[str] = []
    corpora: dict[tuple[CorpusSpec, int | None], Corpus | None] = {}
    for trial in {_cut(trial): trial for trial in trials}.values():
        key = trial.corpus, trial.limit_utterances
        try:
            if key not in corpora:
                corpora[key] = None  # so that a mistaken corpus is told once
                corpora[key] = _read(*key, notes)
            if (corpus := corpora[key]) is not None:
                notes += _check_fold(trial, corpus)
        except UserError as error:
            mistakes.append(str(error))
    for backbone in dict.fromkeys(trial.backbone for trial in trials):
        try:
            notes += _look_for_weights(backbone)
        except BackboneError as error:
            mistakes.append(str(error))
    return PlanChecks(tuple(dict.fromkeys(mistakes)), tuple(dict.fromkeys(notes)))


def _cut(trial: Trial) -> tuple[object, ...]:
    return trial.corpus, trial.limit_utterances, trial.protocol, trial.fold, trial.task


def _read(spec: CorpusSpec, limit_utterances: int | None, notes: list[str]) -> Corpus | None:
    """The corpus; None if it lies elsewhere, which is noted, or is made up by the harness."""
    if not corpus_card(spec).needs_root:
        return None
    if find_root(spec) is None:
        notes.append(f"corpus {spec.name!r} is not on this machine: not checked")
        return None
    whole = read_corpus(spec)
    return subset(whole, limit_utterances) if limit_utterances else whole


def _look_for_weights(backbone: BackboneSpec) -> list[str]:
    """Notes on weights that a run would have to fetch.

    Raises:
        BackboneError: the folder that is named for them does not hold them.
    """
    card = card_of(backbone)
    if backbone.init == "random" or not card.downloadable:
        return []
    if locate(card, backbone.folder, backbone.revision) is not None:
        return []
    return [f"weights of {backbone.name} are not on this machine: a run fetches them"]


def _check_fold(trial: Trial, corpus: Corpus) -> list[str]:
    """Notes on a fold.

    Raises:
        CorpusError: it cannot be cut, its splits share what they must not, or there is nothing to
            learn.
    """
    overlap = trial.corpus.speaker_overlap
    TASKS[trial.task].load().outputs(corpus)
    doubts = speaker_doubts(corpus.utterances)
    splits = split(corpus, trial.protocol, trial.fold, speaker_overlap=overlap)
    leakage.check(splits, corpus, overlap == "allowed")
    strange = [f"corpus {corpus.name!r}{doubts}"] if doubts else []
    return strange + [
        f"corpus {corpus.name!r}, fold {trial.fold}: {name} has no {', '.join(lacking)}"
        for name, ids in splits.named().items()
        if (lacking := absent_classes(corpus, ids))
    ]
