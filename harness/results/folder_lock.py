"""One run at a time in a results folder."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from harness.errors import ResultsError
from harness.files import parse_json, write_text

LOCK = ".lock"
HOLDER = ".held_by.json"


@contextmanager
def holding(folder: Path, note: Callable[[str], None], *, wait: bool = False) -> Iterator[None]:
    """Keep other runs out of an existing folder; a run that crashes lets go of it.

    Args:
        folder: the suite's results
        note: is told whom is waited for
        wait: wait for a run that is at work in it, instead of an error

    Raises:
        ResultsError: another run is at work in it; says which.
    """
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        held = f"{folder} is in use by {_holder(folder)}"
        if not wait:
            raise ResultsError(
                f"{held}: wait for it to end, by hand or with --wait, or choose another folder "
                "with --results"
            ) from None
        note(f"{held}; waiting for it to end")
        lock.acquire()
    try:
        with suppress(OSError):  # it is held all the same
            _sign(folder)
        yield
    finally:
        (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


def _sign(folder: Path) -> None:
    since = datetime.now().astimezone().isoformat(timespec="seconds")
    holder = {"host": socket.gethostname(), "pid": os.getpid(), "since": since}
    write_text(folder / HOLDER, json.dumps(holder))


def _holder(folder: Path) -> str:
    """Whoever signed last."""
    try:
        told = parse_json((folder / HOLDER).read_text(encoding="utf-8"))
        return f"process {told['pid']} on {told['host']}, since {told['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another run"
