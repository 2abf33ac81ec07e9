"""What the trials on one corpus share: its utterances, checked, and the splits of its folds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.data.audio_info import AudioInfo, audio_digest, inspect_audio
from harness.data.batches import LabelledSplit
from harness.data.corpus_reading import read_corpus
from harness.data.quality import QualityReport, apply_policy
from harness.data.splits import leakage
from harness.data.splits.folds import split
from harness.data.splits.split_contents import SplitContent, sentences_shared, split_content
from harness.data.subset import subset
from harness.data.utterances import Corpus, Splits, Utterance
from harness.files import cache_folder, content_digest
from harness.progress import Reporter
from harness.specs import CorpusSpec, ProtocolSpec, Trial

Encode = Callable[[Sequence[Utterance]], tuple[int | float, ...]]
"""From utterances to their targets as a loss takes them."""


@dataclass(frozen=True)
class PreparedCorpus:
    """A corpus that has been read, decoded once and found fit."""

    corpus: Corpus
    audio_info: tuple[AudioInfo, ...]
    quality: QualityReport
    partial: bool
    """Whether recordings are missing that the whole corpus has."""
    _folds: dict[tuple[ProtocolSpec, int, str], Fold] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Those that were cut, since thousands of trials may learn from each."""


@dataclass(frozen=True)
class Fold:
    """One fold of a corpus, checked for leakage."""

    splits: Splits
    audio_digest: str
    split_digest: str
    data_digest: str
    """Of all that the folds of its protocol use, so that they have it in common."""
    contents: Mapping[str, SplitContent]
    """By the name of the split."""
    sentences_shared: float | None
    """Of test's utterances, those that say what one of train says; None where no text is known."""


def prepare_corpus(
    spec: CorpusSpec, limit_utterances: int | None, reporter: Reporter
) -> PreparedCorpus:
    """Read a corpus, decode every recording, and apply the suite's policy to faulty ones.

    Raises:
        CorpusError: it is missing, or unfit as the suite's policy sees it.
    """
    whole = read_corpus(spec)
    chosen = subset(whole, limit_utterances) if limit_utterances else whole
    reading = reporter.begin(f"reading {spec.name}", len(chosen.utterances))
    audio_info = inspect_audio(
        chosen, cache_folder("audio_info"), lambda done, total: reporter.advance(reading)
    )
    reporter.end(reading)
    corpus, quality = apply_policy(chosen, audio_info, spec.quality)
    for line in quality.lines():
        reporter.note(line)
    return PreparedCorpus(_held(corpus, audio_info), tuple(audio_info), quality, not whole.complete)


def _held(corpus: Corpus, audio_info: Sequence[AudioInfo]) -> Corpus:
    """The corpus, each of its recordings held to the sound that was looked at."""
    sound = {info.utterance_id: info.sha256 for info in audio_info}
    utterances = tuple(replace(u, sha256=sound[u.utterance_id]) for u in corpus.utterances)
    return replace(corpus, utterances=utterances)


def cut_fold(trial: Trial, prepared: PreparedCorpus) -> Fold:
    """The trial's train, dev and test, checked for leakage.

    Raises:
        CorpusError: the fold cannot be cut, or its splits share what they must not.
    """
    key = (trial.protocol, trial.fold, trial.corpus.speaker_overlap)
    if key not in prepared._folds:
        prepared._folds[key] = _cut(*key, prepared)
    return prepared._folds[key]


def _cut(protocol: ProtocolSpec, number: int, overlap: str, prepared: PreparedCorpus) -> Fold:
    splits = split(prepared.corpus, protocol, number, speaker_overlap=overlap)
    used = {name for ids in splits.named().values() for name in ids}
    audio_info = [info for info in prepared.audio_info if info.utterance_id in used]
    by_id = prepared.corpus.by_id()
    leakage.check(splits, prepared.corpus, overlap == "allowed", audio_info)
    return Fold(
        splits,
        audio_digest(audio_info, used),
        leakage.split_digest(splits, prepared.corpus),
        _data_digest(prepared, protocol),
        {name: split_content(by_id[each] for each in ids) for name, ids in splits.named().items()},
        sentences_shared(splits, by_id),
    )


def _data_digest(prepared: PreparedCorpus, protocol: ProtocolSpec) -> str:
    """A digest of every utterance that a fold uses: its sound, its target and its speaker."""
    published = prepared.corpus.published.get(str(protocol.folds), {})
    used = {name for fold in published.values() for ids in fold.named().values() for name in ids}
    sound = {info.utterance_id: info.sha256 for info in prepared.audio_info}
    return content_digest(
        {
            u.utterance_id: [u.target, u.speaker, sound[u.utterance_id]]
            for u in prepared.corpus.utterances
            if not published or u.utterance_id in used
        }
    )


def labelled(
    prepared: PreparedCorpus,
    ids: tuple[str, ...],
    crop_s: float | None = None,
    encode: Encode | None = None,
) -> LabelledSplit:
    """The utterances `ids` with their lengths.

    Args:
        prepared: the corpus
        ids: which of its utterances, in this order
        crop_s: longest stretch taken from an utterance
        encode: makes the targets; None for a split from which nothing is learned or scored
    """
    by_id = prepared.corpus.by_id()
    utterances = tuple(by_id[name] for name in ids)
    durations = {info.utterance_id: info.duration_s or 0.0 for info in prepared.audio_info}
    return LabelledSplit(
        utterances=utterances,
        targets=encode(utterances) if encode else (),
        durations_s=tuple(durations[name] for name in ids),
        crop_s=crop_s,
    )
