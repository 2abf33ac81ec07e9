"""Published corpora of emotional speech and the names that they go by. Nothing is opened here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import normalize

EMOBOX: dict[str, tuple[str, ...]] = {
    "AESDD": (),
    "ASED": (),
    "ASVP-ESD": (),
    "CaFE": (),
    "CASIA": (),
    "CREMA-D": ("crema",),
    "EMNS": (),
    "EMO-DB": ("berlin", "berlin-emodb", "emodb2"),
    "EmoV-DB": ("emov",),
    "EMOVO": (),
    "Emozionalmente": (),
    "eNTERFACE": ("enterface05",),
    "ESD": (),
    "IEMOCAP": ("iemocap4",),
    "JL-Corpus": ("jl",),
    "M3ED": (),
    "MEAD": (),
    "MELD": (),
    "MER2023": (),
    "MESD": (),
    "MSP-Podcast": (),
    "Oréau": (),
    "PAVOQUE": (),
    "Polish": (),
    "RAVDESS": (),
    "RESD": (),
    "SAVEE": (),
    "ShEMO": (),
    "SUBESCO": (),
    "TESS": (),
    "TurEV-DB": ("turev",),
    "URDU": (),
}
"""The 32 that EmoBox lists: the name to show -> other names.

Case, accents and signs never matter: EMO-DB is emodb and emo_db.
"""

OTHERS: dict[str, tuple[str, ...]] = {
    "CMU-MOSEI": ("mosei",),
    "EESC": (),
    "EmoUERJ": (),
    "MSP-IMPROV": (),
    "nEMO": (),
}

KNOWN_CORPORA = EMOBOX | OTHERS

ORDINARY_WORDS = frozenset({"berlin", "cafe", "jl", "polish", "urdu"})
"""Names that mean a corpus only where they stand alone: berlin_calls are calls from Berlin."""

NOT_PUBLISHED = "none"
"""What `known_as` says of a corpus that is no published one, whatever its name looks like."""

COLLECTIONS = {"EmoBox": frozenset(EMOBOX)}
"""Names that stand for many corpora at once."""


def plain(name: str) -> str:
    """A name without case, accents and signs.

    >>> plain("EMO-DB"), plain("Oréau")
    ('emodb', 'oreau')
    """
    return "".join(sign for sign in normalize("NFKD", name).casefold() if sign.isalnum())


def known_corpus(name: str) -> str | None:
    """The published corpus that is called just so; None if there is none here.

    >>> known_corpus("crema"), known_corpus("Berlin"), known_corpus("my_crema")
    ('CREMA-D', 'EMO-DB', None)
    """
    return _CORPORA.get(plain(name))


def corpora_in_name(name: str) -> frozenset[str]:
    """The published corpora whose names are whole words of a name, one or several in a row.

    Of names within each other the longest counts, and ordinary words count only alone.

    >>> [sorted(corpora_in_name(name)) for name in ("emodb_2s", "my crema-d", "ASVP-ESD")]
    [['EMO-DB'], ['CREMA-D'], ['ASVP-ESD']]
    >>> [sorted(corpora_in_name(name)) for name in ("my_meldings", "berlin_calls", "berlin")]
    [[], [], ['EMO-DB']]
    """
    if whole := known_corpus(name):
        return frozenset({whole})
    words = [plain(word) for word in re.split(r"[\W_]+", normalize("NFKC", name)) if plain(word)]
    found: set[str] = set()
    taken: set[int] = set()
    for start, stop in _runs(len(words)):
        joined, places = "".join(words[start:stop]), {*range(start, stop)}
        if joined in _CORPORA and joined not in ORDINARY_WORDS and not taken & places:
            found.add(_CORPORA[joined])
            taken |= places
    return frozenset(found)


def collection(name: str) -> frozenset[str] | None:
    """The corpora that the name of a collection stands for; None if it is not one's."""
    return _COLLECTIONS.get(plain(name))


def _runs(words: int) -> Iterator[tuple[int, int]]:
    """Every run of neighbours, the long ones first."""
    for length in range(min(words, _MOST_WORDS), 0, -1):
        for start in range(words - length + 1):
            yield start, start + length


_CORPORA = {
    plain(written): corpus
    for corpus, others in KNOWN_CORPORA.items()
    for written in (corpus, *others)
}
_COLLECTIONS = {plain(name): members for name, members in COLLECTIONS.items()}
_MOST_WORDS = 3
"""That any of the names has: berlin-emo-db."""
