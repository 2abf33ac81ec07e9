"""Everything trials need, read and checked before the first one starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from backbones.base import Backbone
from backbones.cards import BackboneError
from harness.data.audio import SAMPLE_RATE_HZ
from harness.data.prepared_corpus import PreparedCorpus, cut_fold, prepare_corpus
from harness.errors import UserError
from harness.model.building import load_backbone
from harness.progress import Reporter
from harness.results.environment import environment
from harness.results.provenance import Provenance
from harness.runs.trial_execution import provenance_of
from harness.specs import BackboneSpec, CorpusSpec, Trial
from harness.tasks import TASKS
from harness.training.devices import check_precision


@dataclass(frozen=True)
class Preflight:
    """Corpora that were read, and what each trial's outcome will rest on."""

    corpora: dict[CorpusSpec, PreparedCorpus]
    provenance: dict[str, Provenance]
    """By trial id."""


@dataclass(frozen=True)
class _BackboneFacts:
    """What of a backbone is needed to check trials, without keeping it in memory."""

    weights_digest: str
    minimum_samples: int


def check_all(
    trials: Sequence[Trial],
    reporter: Reporter,
    *,
    devices: Callable[[], tuple[str, ...]],
    offline: bool,
) -> Preflight:
    """Read every corpus, cut every fold and load every backbone once.

    Args:
        trials: what is to be run
        reporter: shows progress
        devices: looks for those that they will run on
        offline: never touch the network

    Raises:
        UserError: something that trials need is missing or wrong; all of it is named.
    """
    environment()  # of the program as it starts, whatever is edited meanwhile
    mistakes: list[str] = []
    corpora: dict[CorpusSpec, PreparedCorpus] = {}
    backbones: dict[BackboneSpec, _BackboneFacts] = {}
    provenance: dict[str, Provenance] = {}
    with _collected(mistakes):
        on_cpu = devices() == ("cpu",)
        for precision in dict.fromkeys(trial.training.precision for trial in trials):
            with _collected(mistakes):
                check_precision(precision, on_cpu=on_cpu)
    for trial in _first_with_each(trials, "corpus"):
        with _collected(mistakes):
            corpora[trial.corpus] = prepare_corpus(trial.corpus, trial.limit_utterances, reporter)
    for trial in _first_with_each(trials, "backbone"):
        with _collected(mistakes):
            backbones[trial.backbone] = _facts_of(load_backbone(trial.backbone, offline=offline))
    for trial in trials:
        if trial.corpus in corpora and trial.backbone in backbones:
            with _collected(mistakes):
                facts = backbones[trial.backbone]
                _check_crop(trial, facts)
                TASKS[trial.task].load().outputs(corpora[trial.corpus].corpus)
                fold = cut_fold(trial, corpora[trial.corpus])
                provenance[trial.trial_id] = provenance_of(trial, fold, facts.weights_digest)
    if mistakes:
        raise UserError("\n".join(dict.fromkeys(mistakes)))
    return Preflight(corpora, provenance)


def _first_with_each(trials: Sequence[Trial], part: str) -> list[Trial]:
    """One trial for each different corpus (or backbone), in order."""
    return list({getattr(trial, part): trial for trial in reversed(trials)}.values())[::-1]


@contextmanager
def _collected(mistakes: list[str]) -> Iterator[None]:
    """Note the user's mistakes and go on, so that all of them can be told at once."""
    try:
        yield
    except (UserError, BackboneError) as error:
        mistakes.append(str(error))


def _facts_of(backbone: Backbone) -> _BackboneFacts:
    return _BackboneFacts(backbone.weights.digest, backbone.minimum_samples)


def _check_crop(trial: Trial, facts: _BackboneFacts) -> None:
    """Refuse now what would fail only when the trial meets its first cropped utterance."""
    crop_s = trial.training.crop_s
    if crop_s is not None and crop_s * SAMPLE_RATE_HZ < facts.minimum_samples:
        raise UserError(
            f"training.crop_s: {crop_s:g} is too short for {trial.backbone.name}, "
            f"which needs at least {facts.minimum_samples / SAMPLE_RATE_HZ:g} s"
        )
