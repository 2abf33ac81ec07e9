"""The corpus's labels and the classes a suite makes of them. Every label must be named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from harness.data.utterances import Corpus, make_corpus
from harness.errors import CorpusError, choices


def map_labels(corpus: Corpus, labels: Mapping[str, str | None] | None) -> Corpus:
    """Turn labels into classes; a label that maps to None is left out, as the suite says.

    Raises:
        CorpusError: a label of the corpus is not named, a named label never occurs, or fewer
            than two classes remain.
    """
    if labels is not None:
        _check_map(corpus, labels)
        kept = [(u, labels[u.label]) for u in corpus.utterances]
        corpus = make_corpus(
            corpus.name,
            (replace(u, label=label) for u, label in kept if label is not None),
            corpus.published,
        )
    if len(corpus.classes) < 2:
        raise CorpusError(
            f"corpus {corpus.name!r}: at least two classes are needed, "
            f"found: {', '.join(corpus.classes) or 'none'}"
        )
    return corpus


def _check_map(corpus: Corpus, labels: Mapping[str, str | None]) -> None:
    counts = Counter(utterance.label for utterance in corpus.utterances)
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
