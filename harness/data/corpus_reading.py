"""From what a suite says of a corpus to its labelled utterances; no audio is decoded."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from harness.data.corpora import CORPORA, CorpusCard
from harness.data.label_mapping import map_labels
from harness.data.names import check_names, with_plain_names
from harness.data.readers.audio_files import shortened
from harness.data.utterances import Corpus
from harness.errors import CorpusError, choices
from harness.specs import CorpusSpec

CORPORA_VARIABLE = "HARNESS_CORPORA"


def read_corpus(spec: CorpusSpec) -> Corpus:
    """Find a corpus, list its utterances, check that it is whole, and map its labels.

    Raises:
        CorpusError: it is missing, incomplete, lists an utterance twice, has labels that the
            suite's `labels` does not name, or names of which one cannot tell what they mean.
    """
    card = corpus_card(spec)
    listed: Corpus = import_module(card.module).read(require_root(spec), spec)
    corpus = with_plain_names(listed)
    _check_unique(corpus)
    _check_stretches(corpus)
    complete = _check_whole(corpus, spec, card)
    mapped = replace(map_labels(corpus, spec.labels), complete=complete)
    check_names(mapped)
    return mapped


def corpus_card(spec: CorpusSpec) -> CorpusCard:
    """The card of the reader that a corpus names.

    Raises:
        CorpusError: there is no such reader.
    """
    if spec.reader not in CORPORA:
        raise CorpusError(
            f"unknown corpus {spec.reader!r}: {choices(spec.reader, CORPORA)}; "
            "for recordings of your own add `kind: manifest`"
        )
    return CORPORA[spec.reader]


def corpora_folder() -> Path | None:
    """The folder that $HARNESS_CORPORA names."""
    named = os.environ.get(CORPORA_VARIABLE)
    return Path(named).expanduser() if named else None


def candidate_roots(spec: CorpusSpec) -> list[Path]:
    """Where a corpus may lie, most particular first."""
    if spec.root:
        return [Path(spec.root).expanduser()]
    tried = []
    if folder := corpora_folder():
        tried.append(folder / spec.name)
    if spec.manifest and Path(spec.manifest).expanduser().is_file():
        tried.append(Path(spec.manifest).expanduser().parent)
    return tried


def find_root(spec: CorpusSpec) -> Path | None:
    """The folder of a corpus, if it lies on this machine."""
    return next((root for root in candidate_roots(spec) if root.is_dir()), None)


def require_root(spec: CorpusSpec) -> Path | None:
    """The folder of a corpus; None for a corpus that needs none.

    Raises:
        CorpusError: it was not found; says where it was looked for and what to do.
    """
    card = corpus_card(spec)
    root = find_root(spec)
    if root or not card.needs_root:
        return root
    tried = ", ".join(str(root) for root in candidate_roots(spec))
    if not spec.root and corpora_folder() is None:
        tried = f"{tried or 'nowhere'} (${CORPORA_VARIABLE} is not set)"
    raise CorpusError(
        f"corpus {spec.name!r} was not found; looked in: {tried}. {_remedy(spec, card)}"
    )


def _remedy(spec: CorpusSpec, card: CorpusCard) -> str:
    put_it_there = f"put it at ${CORPORA_VARIABLE}/{spec.name}, or name its folder as `root:`"
    if not card.fetchable:
        return f"To mend this, {put_it_there}."
    return f"Fetch it with `harness prefetch --corpus {spec.reader}`, {put_it_there}."


def _check_unique(corpus: Corpus) -> None:
    counts = Counter(utterance.utterance_id for utterance in corpus.utterances)
    twice = sorted(name for name, count in counts.items() if count > 1)
    if twice:
        paths = [u.path for u in corpus.utterances if u.utterance_id == twice[0]]
        raise CorpusError(
            f"corpus {corpus.name!r}: the same utterance is listed more than once: "
            f"{shortened(twice)} (the first as {' and '.join(map(str, paths))}); keep one of each"
        )


def _check_stretches(corpus: Corpus) -> None:
    """Whether a whole file is listed as several utterances, for want of the times of each."""
    whole = Counter(u.path for u in corpus.utterances if u.start_s is u.end_s is None)
    repeated = [path for path, count in whole.items() if count > 1]
    if repeated:
        raise CorpusError(
            f"corpus {corpus.name!r}: several utterances are the whole of one file: "
            f"{shortened(path.name for path in repeated)}; if they are stretches of it, the list "
            "must say when each begins and ends (start_s, end_s), else keep one of each"
        )


def _check_whole(corpus: Corpus, spec: CorpusSpec, card: CorpusCard) -> bool:
    """Whether all recordings are there; if not, the suite must have said that this is fine."""
    found, whole = len(corpus.utterances), card.utterances
    if found == 0:
        raise CorpusError(
            f"corpus {spec.name!r}: no recordings in {find_root(spec)}. {_remedy(spec, card)}"
        )
    complete = whole is None or found >= whole
    if not complete and spec.partial == "refuse":
        raise CorpusError(
            f"corpus {spec.name!r} is incomplete: {found} of {whole} recordings in "
            f"{find_root(spec)}. {_remedy(spec, card)} To use what is there, "
            "write `partial: allow` under this corpus; its results are then not comparable."
        )
    return complete
