"""A small part of a corpus for a quick trial, spread over its speakers and classes."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict

from harness.data.utterances import Corpus, Utterance


def subset(corpus: Corpus, utterances: int) -> Corpus:
    """Keep `utterances` of a corpus, always the same ones.

    Speakers take turns; each gives an utterance of the class that is rarest so far, so that
    folds by speaker still hold every class for as long as that is possible.
    """
    waiting: dict[str, dict[str, list[Utterance]]] = defaultdict(lambda: defaultdict(list))
    for utterance in sorted(corpus.utterances, key=_order):
        waiting[utterance.speaker or ""][utterance.stratum].append(utterance)
    chosen: set[str] = set()
    taken: Counter[str] = Counter()
    taken_by: Counter[tuple[str, str]] = Counter()
    while waiting and len(chosen) < utterances:
        for speaker in sorted(waiting)[: utterances - len(chosen)]:
            by_label = waiting[speaker]
            label = min(by_label, key=lambda name: (taken[name], taken_by[speaker, name], name))
            chosen.add(by_label[label].pop().utterance_id)
            taken[label] += 1
            taken_by[speaker, label] += 1
            if not by_label[label]:
                del by_label[label]
            if not by_label:
                del waiting[speaker]
    return corpus.where(lambda utterance: utterance.utterance_id in chosen)


def _order(utterance: Utterance) -> str:
    """By a hash of the id: in the order of names the first takes would be much alike."""
    return hashlib.sha256(utterance.utterance_id.encode()).hexdigest()
