"""Which folds a protocol makes of a corpus, and which utterances train, tune and test in each.

No random numbers: ties are broken by hashes of names, so the splits are the same on every
machine, in every run and for every seed of the training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from harness.data.corpora import CorpusCard
from harness.data.splits.balanced_groups import by_speaker, by_utterance
from harness.data.splits.dev_split import cut_dev
from harness.data.splits.speaker_doubts import speaker_doubts
from harness.data.targets import require_targets
from harness.data.utterances import Corpus, Splits
from harness.errors import CorpusError
from harness.specs import CorpusSpec, ProtocolSpec

PUBLISHED = ("official", "emobox")


def fold_numbers(
    protocol: ProtocolSpec, spec: CorpusSpec, card: CorpusCard, load: Callable[[], Corpus]
) -> tuple[int, ...]:
    """The numbers of the folds to run, from 1; no audio is decoded.

    Args:
        protocol: Its `only_folds` picks some of them.
        spec: The corpus, as the suite names it.
        card: What is known of it beforehand.
        load: Lists the corpus, for when the card does not know enough.

    Raises:
        CorpusError: the corpus has no such folds, or `only_folds` asks for one that is not there.
    """
    numbers = _all_folds(protocol, spec, card, load)
    strange = sorted(set(protocol.only_folds or ()) - set(numbers))
    if strange:
        raise CorpusError(
            f"only_folds: corpus {spec.name!r} has no fold {', '.join(map(str, strange))}; "
            f"allowed: {numbers[0]} to {numbers[-1]}"
        )
    return tuple(n for n in numbers if protocol.only_folds is None or n in protocol.only_folds)


def split(
    corpus: Corpus, protocol: ProtocolSpec, fold: int, *, speaker_overlap: str = "refused"
) -> Splits:
    """The train, dev and test utterances of one fold.

    Args:
        corpus: Its utterances, after all that the suite leaves out.
        protocol: How it is cut.
        fold: Number of the fold, from 1.
        speaker_overlap: With "allowed", a corpus whose speakers are not all known is cut by
            utterance; whatever can be cut by speaker still is.

    Raises:
        CorpusError: utterances without a target, too few speakers, an unknown fold, a split
            without utterances, or a class without any in train.
    """
    require_targets(corpus.utterances, f"corpus {corpus.name!r}")
    _check_speakers_known(corpus, speaker_overlap)
    if protocol.folds in PUBLISHED:
        splits = _published_split(corpus, str(protocol.folds), fold)
    else:
        splits = _hold_out(corpus, _test_ids(corpus, protocol, fold))
    if not splits.dev:
        splits = cut_dev(corpus, splits, protocol.dev_speakers, f"fold {fold}")
    _check_splits(corpus, splits, fold)
    return splits


def _all_folds(
    protocol: ProtocolSpec, spec: CorpusSpec, card: CorpusCard, load: Callable[[], Corpus]
) -> range | tuple[int, ...]:
    if isinstance(protocol.folds, int):
        return range(1, protocol.folds + 1)
    if protocol.folds == "emobox" and card.emobox_folds:
        return range(1, card.emobox_folds + 1)
    if protocol.folds == "loso":
        whole = spec.partial == "refuse" and spec.labels is None
        speakers = card.speakers if whole else None
        return range(1, (speakers or len(load().speakers())) + 1)
    return tuple(sorted(_published(load(), protocol.folds)))


def _published(corpus: Corpus, source: str) -> dict[int, Splits]:
    if source not in corpus.published:
        allowed = ["a number of folds", "loso", *sorted(corpus.published)]
        raise CorpusError(
            f"folds: {source}: corpus {corpus.name!r} has no such folds; "
            f"allowed: {', '.join(allowed)}"
        )
    return dict(corpus.published[source])


def _published_split(corpus: Corpus, source: str, fold: int) -> Splits:
    folds = _published(corpus, source)
    if fold not in folds:
        raise CorpusError(
            f"corpus {corpus.name!r} has no {source} fold {fold}; "
            f"allowed: {', '.join(map(str, sorted(folds)))}"
        )
    return folds[fold].restricted(corpus.by_id())


def _test_ids(corpus: Corpus, protocol: ProtocolSpec, fold: int) -> frozenset[str]:
    """Test utterances of a fold of our own making."""
    if protocol.folds == "loso":
        return _one_speaker(corpus, fold)
    count = int(protocol.folds)
    if fold > count:
        raise CorpusError(f"there is no fold {fold} of {count}")
    if not _all_speakers_known(corpus):
        return by_utterance(corpus, count)[fold - 1]
    speakers = corpus.speakers()
    if len(speakers) < count:
        raise CorpusError(
            f"corpus {corpus.name!r} has {len(speakers)} speakers, too few for {count} "
            f"speaker-disjoint folds; allowed: 2 to {len(speakers)}, or loso"
            f"{speaker_doubts(corpus.utterances)}"
        )
    return by_speaker(corpus, count)[fold - 1]


def _one_speaker(corpus: Corpus, fold: int) -> frozenset[str]:
    speakers = corpus.speakers()
    if not _all_speakers_known(corpus):
        raise CorpusError(f"corpus {corpus.name!r}: loso needs the speaker of every utterance")
    if fold > len(speakers):
        raise CorpusError(
            f"corpus {corpus.name!r} has {len(speakers)} speakers, so no loso fold {fold}"
        )
    held_out = speakers[fold - 1]
    return frozenset(u.utterance_id for u in corpus.utterances if u.speaker == held_out)


def _hold_out(corpus: Corpus, test: frozenset[str]) -> Splits:
    ids = sorted(corpus.by_id())
    return Splits(
        train=tuple(name for name in ids if name not in test),
        dev=(),
        test=tuple(name for name in ids if name in test),
    )


def _all_speakers_known(corpus: Corpus) -> bool:
    return all(utterance.speaker is not None for utterance in corpus.utterances)


def _check_speakers_known(corpus: Corpus, speaker_overlap: str) -> None:
    if speaker_overlap == "refused" and not _all_speakers_known(corpus):
        raise CorpusError(
            f"corpus {corpus.name!r}: not every utterance has a speaker, so splits cannot be kept "
            "speaker-disjoint; to accept that, write `speaker_overlap: allowed` under this corpus"
        )


def _check_splits(corpus: Corpus, splits: Splits, fold: int) -> None:
    where = f"corpus {corpus.name!r}, fold {fold}"
    for name, ids in splits.named().items():
        if not ids:
            raise CorpusError(f"{where}: {name} has no utterances{_LIMIT_HINT}")
    absent = absent_classes(corpus, splits.train)
    if absent:
        raise CorpusError(
            f"{where}: train has no utterance of {', '.join(absent)}{_LIMIT_HINT}; "
            "or choose other folds, or leave the label out with `labels:`"
            f"{speaker_doubts(corpus.utterances)}"
        )


def absent_classes(corpus: Corpus, ids: Iterable[str]) -> list[str]:
    """The classes of a corpus of which none of these utterances is, sorted."""
    utterances = corpus.by_id()
    return sorted(set(corpus.classes) - {utterances[name].target for name in ids})


_LIMIT_HINT = "; use more utterances (a larger --limit-utterances, if one was given)"
