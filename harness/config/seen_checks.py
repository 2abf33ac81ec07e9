"""What a suite says of corpora that were seen before, held against the table of published ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from harness.config.yaml_tree import Mistake
from harness.data.known_corpora import (
    COLLECTIONS,
    KNOWN_CORPORA,
    NOT_PUBLISHED,
    known_corpus,
    plain,
)

LISTS = ("audio_seen", "emotion_labels_seen")
_NEAR = 0.8
"""How alike two names are of which one is probably a slip for the other."""

_Items = Sequence[tuple[int, dict[str, Any]]]


def seen_mistakes(corpora: _Items, backbones: _Items) -> Iterator[Mistake]:
    """Names of corpora that are probably slips, and what cannot be true.

    Args:
        corpora: the well-formed items of a suite's `corpora`, each after its place
        backbones: those of its `backbones`
    """
    for index, item in corpora:
        if isinstance(written := item.get("known_as"), str):
            reader = known_corpus(str(item.get("kind") or item["name"]))
            if text := _unfit(written, reader):
                yield Mistake(("corpora", index, "known_as"), f"known_as: {text}")
    own = {plain(item["name"]) for _, item in corpora}
    for index, item in backbones:
        for key in LISTS:
            names = item.get(key)
            for place, name in enumerate(names if isinstance(names, list) else ()):
                if isinstance(name, str) and (text := _slip(name, own)):
                    yield Mistake(("backbones", index, key, place), f"{key}: {text}")


def _unfit(written: str, reader: str | None) -> str | None:
    """Why a corpus that this reader reads cannot be known as what was written."""
    found = known_corpus(written)
    if reader is not None and found != reader:
        return f"its reader reads {reader}: leave known_as out"
    if found is None and plain(written) != NOT_PUBLISHED:
        names = [*KNOWN_CORPORA, NOT_PUBLISHED]
        near = _nearest(written, names, cutoff=0.6)
        hint = f"did you mean {near!r}? " if near else ""
        return f"unknown corpus {written!r}: {hint}(allowed: {', '.join(names)})"
    return None


def _slip(name: str, own: set[str]) -> str | None:
    """A corpus that is in no table may be any; one that nearly has a known name is a slip."""
    known = (*KNOWN_CORPORA, *COLLECTIONS)
    if known_corpus(name) or plain(name) in own | {*map(plain, COLLECTIONS)}:
        return None
    near = _nearest(name, known, _NEAR)
    if near is None:
        return None
    return (
        f"unknown corpus {name!r}: did you mean {near!r}? If it is another one, leave it out: "
        "no corpus of this suite is called so"
    )


def _nearest(name: str, names: Iterable[str], cutoff: float) -> str | None:
    spelt = {plain(each): each for each in names}
    found = get_close_matches(plain(name), spelt, n=1, cutoff=cutoff)
    return spelt[found[0]] if found else None
