"""The corpus's labels and the classes a suite makes of them. Every label must be named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from harness.data.names import plain_name
from harness.data.utterances import Corpus, make_corpus
from harness.errors import CorpusError, choices


def map_labels(corpus: Corpus, labels: Mapping[str, str | None] | None) -> Corpus:
    """Turn labels into classes; a label that maps to None is left out, as the suite says.

    Targets that are no labels stay as they are.

    Raises:
        CorpusError: a label of the corpus is not named, or a named label never occurs.
    """
    if labels is None:
        return corpus
    labels = _plainly_named(corpus, labels)
    _check_map(corpus, labels)
    kept = [
        replace(u, target=labels[u.target]) if isinstance(u.target, str) else u
        for u in corpus.utterances
        if not isinstance(u.target, str) or labels[u.target] is not None
    ]
    return make_corpus(corpus.name, kept, corpus.published)


def _plainly_named(corpus: Corpus, labels: Mapping[str, str | None]) -> dict[str, str | None]:
    """The map with names as a corpus has them.

    Raises:
        CorpusError: two spellings of one label have different classes.
    """
    named: dict[str, str | None] = {}
    for label, name in labels.items():
        plain, target = plain_name(label), None if name is None else plain_name(name)
        if named.setdefault(plain, target) != target:
            raise CorpusError(
                f"corpus {corpus.name!r}, `labels:`: {plain!r} is given two classes, "
                f"{named[plain]!r} and {target!r}: keep one"
            )
    return named


def _check_map(corpus: Corpus, labels: Mapping[str, str | None]) -> None:
    counts = Counter(u.target for u in corpus.utterances if isinstance(u.target, str))
    unnamed = [f"{label!r} ({counts[label]})" for label in sorted(counts) if label not in labels]
    mistakes = []
    if unnamed:
        mistakes.append(
            f"labels without a class: {', '.join(unnamed)}; name each, or map it to null to "
            "leave its utterances out"
        )
    mistakes += [
        f"label {label!r} never occurs: {choices(label, sorted(counts))}"
        for label in labels
        if label not in counts
    ]
    if mistakes:
        raise CorpusError(f"corpus {corpus.name!r}, `labels:`: " + "\n  ".join(mistakes))
