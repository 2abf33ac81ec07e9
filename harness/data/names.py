"""Speakers and labels written in one way, so that one of them never counts as two."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from unicodedata import category, normalize

from harness.data.utterances import Corpus, Utterance, make_corpus
from harness.errors import CorpusError
from harness.specs import MISSING_VALUES


def plain_name(name: str) -> str:
    r"""One way to write a name: composed letters, single spaces, whole numbers without a point.

    >>> plain_name(" Ju\u0308rgen  B. "), plain_name("1.0"), plain_name("01")
    ('Jürgen B.', '1', '01')
    """
    seen = "".join(sign for sign in name if category(sign) != "Cf")  # such as zero-width spaces
    text = " ".join(normalize("NFC", seen).split())
    whole = re.fullmatch(r"(\d+)\.0+", text)
    return whole[1] if whole else text


def with_plain_names(corpus: Corpus) -> Corpus:
    """The corpus with its speakers and labels in one spelling each."""
    return make_corpus(corpus.name, map(_plain, corpus.utterances), corpus.published)


def check_names(corpus: Corpus) -> None:
    """Refuse names of which one cannot tell whether they are one or two, or any at all.

    Raises:
        CorpusError: names each, and what to do.
    """
    speakers = {u.speaker for u in corpus.utterances if u.speaker is not None}
    mistakes = [
        *_twins("speakers", speakers, "write one of them as the other, or rename one"),
        *_twins("classes", corpus.classes, "write them alike, or join them with `labels:`"),
        *_missing("speaker", speakers, "leave it empty if it is, else call the speaker otherwise"),
        *_missing(
            "class",
            corpus.classes,
            "under `labels:` map it to null, without quotes, to leave its utterances out, or to "
            "another name",
        ),
    ]
    if mistakes:
        raise CorpusError(f"corpus {corpus.name!r}: " + "\n  ".join(mistakes))


def _plain(utterance: Utterance) -> Utterance:
    target, speaker = utterance.target, utterance.speaker
    return replace(
        utterance,
        target=plain_name(target) if isinstance(target, str) else target,
        speaker=None if speaker is None else plain_name(speaker),
    )


def _twins(what: str, names: Iterable[str], remedy: str) -> list[str]:
    alike: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        alike[normalize("NFKC", name).casefold()].append(name)
    return [
        f"the {what} {' and '.join(map(repr, found))} differ in case or width alone: {remedy}"
        for found in alike.values()
        if len(found) > 1
    ]


def _missing(what: str, names: Iterable[str], remedy: str) -> list[str]:
    return [
        f"{what} {name!r} looks like a value that is missing: {remedy}"
        for name in sorted(names)
        if name.casefold() in MISSING_VALUES
    ]
