"""What the trials on one corpus share: its utterances, checked, and the splits of its folds."""

from __future__ import annotations

from dataclasses import dataclass

from harness.data.audio_info import AudioFacts, audio_digest, inspect
from harness.data.batches import LabelledSplit
from harness.data.corpus_reading import read_corpus
from harness.data.quality import QualityReport, apply_policy
from harness.data.splits import leakage
from harness.data.splits.folds import split
from harness.data.subset import limit
from harness.data.utterances import Corpus, Splits
from harness.files import cache_folder
from harness.progress import Reporter
from harness.specs import CorpusSpec, Trial


@dataclass(frozen=True)
class Ground:
    """A corpus that has been read, decoded once and found fit."""

    corpus: Corpus
    facts: tuple[AudioFacts, ...]
    quality: QualityReport
    partial: bool
    """Whether recordings are missing that the whole corpus has."""


@dataclass(frozen=True)
class Fold:
    """One fold of a corpus, checked for leakage."""

    splits: Splits
    audio_digest: str
    split_digest: str


def prepare_ground(spec: CorpusSpec, limit_utterances: int | None, reporter: Reporter) -> Ground:
    """Read a corpus, look at every recording, and apply the suite's policy to faulty ones.

    Raises:
        CorpusError: it is missing, or unfit as the suite's policy sees it.
    """
    whole = read_corpus(spec)
    chosen = limit(whole, limit_utterances) if limit_utterances else whole
    reporter.begin(f"reading {spec.name}", len(chosen.utterances))
    facts = inspect(chosen, cache_folder("facts"), lambda done, total: reporter.advance())
    reporter.end()
    corpus, quality = apply_policy(chosen, facts, spec.quality)
    for line in quality.lines():
        reporter.note(line)
    return Ground(corpus, tuple(facts), quality, not whole.complete)


def cut_fold(trial: Trial, ground: Ground) -> Fold:
    """The trial's train, dev and test, checked for leakage.

    Raises:
        CorpusError: the fold cannot be cut, or its splits share what they must not.
    """
    overlap = trial.corpus.speaker_overlap
    splits = split(ground.corpus, trial.protocol, trial.fold, speaker_overlap=overlap)
    used = {name for ids in splits.named().values() for name in ids}
    facts = [fact for fact in ground.facts if fact.utterance_id in used]
    leakage.check(splits, ground.corpus, overlap == "allowed", facts)
    return Fold(splits, audio_digest(facts, used), leakage.split_digest(splits, ground.corpus))


def labelled(ground: Ground, ids: tuple[str, ...], crop_s: float | None = None) -> LabelledSplit:
    """The utterances `ids` with class numbers and lengths, longest stretch `crop_s`."""
    utterances = ground.corpus.by_id()
    durations = {fact.utterance_id: fact.duration_s or 0.0 for fact in ground.facts}
    numbers = ground.corpus.class_index()
    return LabelledSplit(
        utterances=tuple(utterances[name] for name in ids),
        labels=tuple(numbers[utterances[name].label] for name in ids),
        durations_s=tuple(durations[name] for name in ids),
        crop_s=crop_s,
    )
