"""Download a file over HTTP: resumed where it broke off, and kept only if it is the right one."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests

from harness.errors import UserError

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there and the bytes of the whole, where known."""

CHUNK_BYTES = 1 << 16
TIMEOUT_S = (10.0, 60.0)
"""To connect, and between two packets."""

_RETRY_STATUSES = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on a server, and how to tell that it arrived whole."""

    url: str
    size_bytes: int | None = None
    md5: str | None = None
    sha256: str | None = None


class _AttemptFailed(Exception):
    """This attempt failed; another may not."""


def download(
    remote: RemoteFile,
    target: Path,
    progress: Progress | None = None,
    *,
    attempts: int = 4,
    pause_s: float = 1.0,
    timeout_s: tuple[float, float] = TIMEOUT_S,
) -> Path:
    """Fetch a file to `target`, through `<target>.part`, from which a later call goes on.

    Args:
        remote: What to fetch.
        target: Where it goes; if it already lies there whole, nothing is fetched.
        progress: Called after each piece.
        attempts: How often a broken connection is tried again.
        pause_s: Seconds before the second attempt, doubled for each further one.
        timeout_s: Seconds to connect, and between two packets.

    Raises:
        UserError: no network, a server that refuses, a full disk, or a file that is not the one
            expected.
    """
    if target.is_file() and _fault(target, remote) is None:
        return target
    partial = target.with_name(target.name + ".part")
    _make_folder(target.parent)
    reason = ""
    for attempt in range(attempts):
        time.sleep(pause_s * 2 ** (attempt - 1) if attempt else 0)
        resumed = partial.exists()
        try:
            _fetch(remote, partial, progress, timeout_s)
        except (_AttemptFailed, requests.RequestException) as error:
            reason = _reason(error)
            continue
        reason = _fault(partial, remote) or ""
        if not reason:
            partial.replace(target)
            _validator(partial).unlink(missing_ok=True)
            return target
        _discard(partial)
        if not resumed:  # a fresh and whole answer that is wrong will be wrong again
            raise UserError(f"{remote.url}: not the file that was expected: {reason}")
    kept = (
        " What arrived is kept, and the next call goes on from there." if partial.exists() else ""
    )
    raise UserError(f"{remote.url}: {attempts} attempts failed, the last: {reason}.{kept}")


def _reason(error: Exception) -> str:
    """The error in few words: those of `requests` are long and tell of its insides."""
    if isinstance(error, requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return str(error)
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off"
    return str(error)


def _fetch(
    remote: RemoteFile, partial: Path, progress: Progress | None, timeout_s: tuple[float, float]
) -> None:
    """One attempt: ask for what is missing, and append it."""
    have_bytes = partial.stat().st_size if partial.exists() else 0
    headers = _headers(partial, have_bytes)
    with requests.get(remote.url, headers=headers, stream=True, timeout=timeout_s) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            if have_bytes == remote.size_bytes:
                return
            _discard(partial)
            raise _AttemptFailed("the server does not have the rest of what was fetched earlier")
        _check_status(remote, answer)
        start_bytes = have_bytes
        if answer.status_code != requests.codes.partial_content:
            start_bytes = 0  # the whole file: no ranges here, or another version by now
        elif not answer.headers.get("Content-Range", "").startswith(f"bytes {have_bytes}-"):
            _discard(partial)
            raise _AttemptFailed("the server sent another part than the one asked for")
        _remember_validator(partial, answer)
        _write(answer, partial, start_bytes, progress)


def _headers(partial: Path, have_bytes: int) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity"}  # a compressed answer cannot be resumed
    if have_bytes:
        headers["Range"] = f"bytes={have_bytes}-"
        if _validator(partial).exists():
            headers["If-Range"] = _validator(partial).read_text(encoding="utf-8")
    return headers


def _check_status(remote: RemoteFile, answer: requests.Response) -> None:
    if answer.status_code in _RETRY_STATUSES:
        raise _AttemptFailed(f"HTTP {answer.status_code} {answer.reason}")
    if not answer.ok:
        raise UserError(
            f"{remote.url}: the server answers HTTP {answer.status_code} {answer.reason}"
        )


def _write(
    answer: requests.Response, partial: Path, start_bytes: int, progress: Progress | None
) -> None:
    announced = answer.headers.get("Content-Length")
    total_bytes = start_bytes + int(announced) if announced else None
    have_bytes = start_bytes
    pieces = answer.iter_content(CHUNK_BYTES)
    with partial.open("ab" if start_bytes else "wb") as file:
        for piece in pieces:
            try:
                file.write(piece)
            except OSError as error:
                raise UserError(f"{partial}: cannot be written ({error})") from error
            have_bytes += len(piece)
            if progress:
                progress(have_bytes, total_bytes)
    if total_bytes is not None and have_bytes < total_bytes:
        raise _AttemptFailed(f"the connection broke off after {have_bytes} of {total_bytes} bytes")


def _fault(path: Path, remote: RemoteFile) -> str | None:
    """What shows that a file is not the expected one."""
    size_bytes = path.stat().st_size
    if remote.size_bytes is not None and size_bytes != remote.size_bytes:
        return f"{size_bytes} bytes instead of {remote.size_bytes}"
    for name, expected in (("md5", remote.md5), ("sha256", remote.sha256)):
        if expected is None:
            continue
        with path.open("rb") as file:
            found = hashlib.file_digest(file, name).hexdigest()
        if found != expected:
            return f"{name} {found} instead of {expected}"
    return None


def _validator(partial: Path) -> Path:
    """Holds what the server calls this version, so that two versions are never joined."""
    return partial.with_name(partial.name + ".etag")


def _remember_validator(partial: Path, answer: requests.Response) -> None:
    etag = answer.headers.get("ETag", "")
    strong = "" if etag.startswith("W/") else etag
    validator = strong or answer.headers.get("Last-Modified", "")
    if validator:
        _validator(partial).write_text(validator, encoding="utf-8")
    else:
        _validator(partial).unlink(missing_ok=True)


def _discard(partial: Path) -> None:
    partial.unlink(missing_ok=True)
    _validator(partial).unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: cannot be made ({error})") from error
