"""A corpus cut into equal, balanced parts, by speaker or, without speakers, by utterance."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable

from harness.data.utterances import Corpus, Utterance

Parts = list[frozenset[str]]
"""Disjoint sets of utterance ids that together are the corpus."""


def by_speaker(corpus: Corpus, parts: int) -> Parts:
    """Deal the speakers into parts that hold like numbers of utterances, and of each class.

    Greedy: the speaker with the most utterances first, each to the part that has least of what
    the speaker brings.
    """
    counts = class_counts(corpus.utterances)
    whole = Counter(utterance.label for utterance in corpus.utterances)
    order = sorted(counts, key=lambda name: (-counts[name].total(), stable_hash(name)))
    loads: list[Counter[str]] = [Counter() for _ in range(parts)]
    members: list[set[str]] = [set() for _ in range(parts)]

    def fullness(part: int, speaker: str) -> tuple[float, int, int, int]:
        load = loads[part]
        shared = sum(
            number / whole[label] * load[label] / whole[label]
            for label, number in sorted(counts[speaker].items())
        )
        return round(shared, 9), len(members[part]), load.total(), part

    for speaker in order:
        part = min(range(parts), key=lambda number: fullness(number, speaker))
        loads[part].update(counts[speaker])
        members[part].add(speaker)
    return [
        frozenset(u.utterance_id for u in corpus.utterances if u.speaker in speakers)
        for speakers in members
    ]


def by_utterance(corpus: Corpus, parts: int) -> Parts:
    """Deal the utterances of each class into equal parts, in the order of their hashes."""
    dealt: list[set[str]] = [set() for _ in range(parts)]
    position = 0  # runs on over the classes, so that the parts differ by one utterance at most
    for label in corpus.classes:
        ids = [u.utterance_id for u in corpus.utterances if u.label == label]
        for name in sorted(ids, key=stable_hash):
            dealt[position % parts].add(name)
            position += 1
    return [frozenset(part) for part in dealt]


def class_counts(utterances: Iterable[Utterance]) -> dict[str, Counter[str]]:
    """How many utterances of each class each known speaker has."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for utterance in utterances:
        if utterance.speaker is not None:
            counts[utterance.speaker][utterance.label] += 1
    return dict(counts)


def stable_hash(name: str) -> str:
    """A hash that is the same in every process, for an order that follows no naming scheme."""
    return hashlib.sha256(name.encode()).hexdigest()
