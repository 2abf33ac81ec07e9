"""The dev split, cut from train: by speaker, or by utterance where speakers are unknown."""

from __future__ import annotations

from collections import Counter

from harness.data.splits.balanced_groups import class_counts, stable_hash
from harness.data.splits.speaker_doubts import speaker_doubts
from harness.data.utterances import Corpus, Splits
from harness.errors import CorpusError

DEV_SHARE = 5
"""One in so many of the train speakers, or utterances, goes to dev."""


def cut_dev(corpus: Corpus, splits: Splits, dev_speakers: int | None, salt: str) -> Splits:
    """Move a part of train to dev.

    Args:
        corpus: Holds the utterances.
        splits: Train and test, with an empty dev.
        dev_speakers: How many speakers go to dev; a fifth of them, at least one, when None.
        salt: Other text draws other speakers, so that folds differ.

    Raises:
        CorpusError: train has too few speakers, or speakers are asked for that are not known.
    """
    in_train = set(splits.train)
    train = corpus.where(lambda utterance: utterance.utterance_id in in_train)
    if all(utterance.speaker is not None for utterance in train.utterances):
        speakers = _draw_speakers(train, dev_speakers, salt)
        dev = {u.utterance_id for u in train.utterances if u.speaker in speakers}
    elif dev_speakers is None:
        dev = _draw_utterances(train, salt)
    else:
        raise CorpusError(
            f"dev_speakers: {dev_speakers}: not every utterance of corpus {corpus.name!r} has a "
            "speaker; leave dev_speakers out, and a fifth of each class goes to dev"
        )
    return Splits(
        train=tuple(name for name in splits.train if name not in dev),
        dev=tuple(name for name in splits.train if name in dev),
        test=splits.test,
    )


def _draw_speakers(train: Corpus, dev_speakers: int | None, salt: str) -> set[str]:
    """Draw by hash, but first those who bring a class that dev still lacks.

    A speaker without whom train would lose a class stays there.
    """
    counts = class_counts(train.utterances)
    wanted = dev_speakers or max(1, round(len(counts) / DEV_SHARE))
    if wanted >= len(counts):
        raise CorpusError(
            f"corpus {train.name!r}: {wanted} dev speakers leave none of the {len(counts)} for "
            "train; use fewer dev_speakers, fewer folds or more speakers"
            f"{speaker_doubts(train.utterances)}"
        )
    speakers_with = Counter(label for by_label in counts.values() for label in by_label)
    waiting = sorted(counts, key=lambda name: stable_hash(f"{salt}/{name}"))
    drawn: set[str] = set()
    covered: set[str] = set()
    while len(drawn) < wanted:
        able = [name for name in waiting if all(speakers_with[label] > 1 for label in counts[name])]
        if not able:
            raise CorpusError(
                f"corpus {train.name!r}: no {wanted} speakers can go to dev without leaving train "
                "without a class; use fewer dev_speakers, or fewer folds"
                f"{speaker_doubts(train.utterances)}"
            )
        chosen = max(able, key=lambda name: len(set(counts[name]) - covered))
        waiting.remove(chosen)
        drawn.add(chosen)
        covered |= set(counts[chosen])
        speakers_with.subtract(counts[chosen].keys())
    return drawn


def _draw_utterances(train: Corpus, salt: str) -> set[str]:
    """A fifth of each class by hash; of a class with fewer than five, one, unless it is alone."""
    drawn: set[str] = set()
    for stratum in sorted({u.stratum for u in train.utterances}):
        ids = sorted(
            (u.utterance_id for u in train.utterances if u.stratum == stratum),
            key=lambda name: stable_hash(f"{salt}/{name}"),
        )
        drawn.update(ids[: max(len(ids) // DEV_SHARE, min(1, len(ids) - 1))] if ids else [])
    return drawn
