"""Recordings in a folder, by the names their corpus gave them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from unicodedata import normalize

from harness.errors import CorpusError
from harness.files import is_file

AUDIO_SUFFIXES = (".wav", ".flac")
NAMED_AT_MOST = 10


def recordings(
    folders: Iterable[Path], pattern: re.Pattern[str]
) -> list[tuple[Path, re.Match[str]]]:
    """The recordings in `folders`, each with how its stem matches `pattern`.

    Raises:
        CorpusError: an audio file lies there under a name the corpus does not give.
    """
    found, strange = [], []
    for path in sorted(path for folder in folders for path in folder.glob("[!.]*")):
        if path.suffix.lower() not in AUDIO_SUFFIXES:
            continue
        match = pattern.fullmatch(path.stem)
        if match:
            found.append((path, match))
        else:
            strange.append(path)
    if strange:
        raise CorpusError(
            f"{strange[0].parent}: names that do not belong to this corpus: "
            f"{shortened([path.name for path in strange])}; "
            "move them away, or list the recordings in a manifest"
        )
    return found


def find_file(root: Path, name: str) -> Path | None:
    """The file of that name below a folder, whichever way its accents are written there.

    Unicode writes "é" as one sign (NFC) or as two (NFD), and file systems keep either.
    """
    spellings = dict.fromkeys([name, normalize("NFC", name), normalize("NFD", name)])
    return next((root / each for each in spellings if is_file(root / each)), None)


def shortened(names: Iterable[object]) -> str:
    """Name the first ten, and count the rest.

    >>> shortened(range(12))
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more'
    """
    listed = [str(name) for name in names]
    rest = len(listed) - NAMED_AT_MOST
    return ", ".join(listed[:NAMED_AT_MOST]) + (f" and {rest} more" if rest > 0 else "")
