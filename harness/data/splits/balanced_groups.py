"""A corpus cut into balanced groups, by speaker or, without speakers, by utterance."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable

from harness.data.splits.group_exchange import exchanged
from harness.data.utterances import Corpus, Utterance

Groups = list[frozenset[str]]
"""Disjoint sets of utterance ids that together are the corpus."""


def by_speaker(corpus: Corpus, groups: int) -> Groups:
    """Deal the speakers into groups that hold like numbers of utterances, and of each class.

    Greedy: the speaker with the most utterances first, each to the group that has least of what
    the speaker brings. Where that leaves groups uneven, or without a class, speakers are exchanged.
    """
    counts = class_counts(corpus.utterances)
    whole = Counter(utterance.stratum for utterance in corpus.utterances)
    order = sorted(counts, key=lambda name: (-counts[name].total(), stable_hash(name)))
    class_totals: list[Counter[str]] = [Counter() for _ in range(groups)]
    members: list[list[str]] = [[] for _ in range(groups)]

    def fullness(group: int, speaker: str) -> tuple[float, int, int, int]:
        totals = class_totals[group]
        shared = sum(
            number / whole[label] * totals[label] / whole[label]
            for label, number in sorted(counts[speaker].items())
        )
        return round(shared, 9), len(members[group]), totals.total(), group

    for speaker in order:
        group = min(range(groups), key=lambda number: fullness(number, speaker))
        class_totals[group].update(counts[speaker])
        members[group].append(speaker)
    return [
        frozenset(u.utterance_id for u in corpus.utterances if u.speaker in speakers)
        for speakers in map(set, exchanged(members, counts))
    ]


def by_utterance(corpus: Corpus, groups: int) -> Groups:
    """Deal the utterances of each class into equal groups, in the order of their hashes."""
    dealt: list[set[str]] = [set() for _ in range(groups)]
    position = 0  # runs on over the classes, so that the groups differ by one utterance at most
    for stratum in sorted({u.stratum for u in corpus.utterances}):
        ids = [u.utterance_id for u in corpus.utterances if u.stratum == stratum]
        for name in sorted(ids, key=stable_hash):
            dealt[position % groups].add(name)
            position += 1
    return [frozenset(group) for group in dealt]


def class_counts(utterances: Iterable[Utterance]) -> dict[str, Counter[str]]:
    """How many utterances of each class each known speaker has."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for utterance in utterances:
        if utterance.speaker is not None:
            counts[utterance.speaker][utterance.stratum] += 1
    return dict(counts)


def stable_hash(name: str) -> str:
    """A hash that is the same in every process, for an order that follows no naming scheme."""
    return hashlib.sha256(name.encode()).hexdigest()
