"""Files written whole or not at all, and digests of what they hold."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_CHUNK_BYTES = 1 << 20
_UNFINISHED = re.compile(r"\..+\.[a-z0-9_]{8}\.part")
"""As `atomic_path` names a file that is not whole yet."""


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target` that takes its place when the block ends well.

    A crash or an error leaves the old file as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    temporary.chmod(0o666 & ~_umask())
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def sweep(folder: Path, older_than_s: float = 0.0) -> None:
    """Remove what processes that were killed left unfinished in a folder and those below it.

    Args:
        folder: in which nobody else writes, or not for so long
        older_than_s: age of what is removed; times that lie ahead count as now
    """
    latest = time.time() - older_than_s
    for path in folder.rglob(".*.part"):
        if _UNFINISHED.fullmatch(path.name):
            with suppress(OSError):  # somebody else removed it
                if path.is_file() and (older_than_s == 0.0 or path.stat().st_mtime < latest):
                    path.unlink()


def write_text(target: Path, text: str) -> None:
    """Write `text` to `target` atomically, as UTF-8."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def content_digest(value: Any) -> str:
    """SHA-256 of a JSON-like value in canonical form: sorted keys, no spaces.

    >>> content_digest({"a": 1, "b": 2}) == content_digest({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def parse_json(text: str, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """What JSON says, whoever wrote it.

    Args:
        text: the JSON
        pairs: makes an object of its keys and values; a dict when left out

    Raises:
        ValueError: it is no JSON, is nested without end, or holds half a character.
    """
    try:
        found = json.loads(text, object_pairs_hook=pairs)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeEncodeError:
        raise ValueError("it holds half a character, an escape from \\ud800 to \\udfff") from None
    return found


def is_file(path: Path) -> bool:
    """Whether there is such a file; there is none of a name that no file can have."""
    with suppress(OSError, ValueError):
        return path.is_file()
    return False


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


CACHE_VARIABLE = "HARNESS_CACHE"


def cache_folder(name: str) -> Path:
    """A folder to write in: `$HARNESS_CACHE/<name>`, by default under `~/.cache/ser-harness`.

    On a machine where neither can be written it lies among the temporary files.
    """
    named = os.environ.get(CACHE_VARIABLE)
    usual = Path(named).expanduser() if named else Path.home() / ".cache" / "ser-harness"
    folder = usual / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass  # a read-only home, as in a container: the temporary folder serves as well
    folder = Path(tempfile.gettempdir()) / f"ser-harness-{os.getuid()}" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
