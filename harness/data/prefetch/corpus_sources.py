"""Corpora from their own sites, checked, and put where the readers look for them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from harness.data.corpus_reading import CORPORA_VARIABLE, corpora_folder, corpus_card, find_root
from harness.data.prefetch.archives import unpacked
from harness.data.prefetch.http_download import Progress, RemoteFile, download
from harness.data.utterances import Corpus
from harness.errors import UserError
from harness.files import file_digest
from harness.specs import CorpusSpec


@dataclass(frozen=True, slots=True)
class CorpusSource:
    """Where a corpus is published, and how to tell that all of it arrived."""

    remote: RemoteFile
    recordings_sha256: str | None = None
    """Digest over all recordings (see `recordings_digest`), for an archive without one."""


SOURCES: dict[str, CorpusSource] = {
    "ravdess": CorpusSource(
        RemoteFile(
            url="https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip",
            size_bytes=208_468_073,
            md5="bc696df654c87fed845eb13823edef8a",
        )
    ),
    "emodb": CorpusSource(
        RemoteFile(url="http://emodb.bilderbar.info/download/download.zip"),
        recordings_sha256="584ee8b74109ed90cbde079a5997d4299859327b106933933dd0881670cd2fcf",
    ),
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """Where something lies now."""

    name: str
    path: Path | None
    """None for what needs no files."""
    was_there: bool

    def line(self) -> str:
        """One line for the user."""
        if self.path is None:
            return f"{self.name}: needs no files"
        return f"{self.name}: {'found at' if self.was_there else 'fetched to'} {self.path}"


def prefetch_corpus(
    spec: CorpusSpec,
    progress: Progress | None = None,
    note: Callable[[str], None] = lambda text: None,
    *,
    offline: bool = False,
) -> Fetched:
    """Make sure that a corpus lies on this machine.

    Args:
        spec: Which corpus.
        progress: Called with the bytes that arrived.
        note: Called with a line for each step.
        offline: Only look; never ask the network.

    Raises:
        UserError: it is not there and cannot be fetched; says what to do.
    """
    card = corpus_card(spec)
    if not card.needs_root:
        return Fetched(spec.name, None, was_there=True)
    root = find_root(spec)
    if root and (not card.fetchable or _count(root, spec) >= (card.utterances or 0)):
        return Fetched(spec.name, root, was_there=True)
    if root and spec.partial == "allow":
        return Fetched(spec.name, root, was_there=True)
    if not card.fetchable or offline:
        raise UserError(_cannot_fetch(spec, "it is not fetched while offline" if offline else ""))
    target = _target(spec)
    try:
        _fetch(spec, SOURCES[spec.reader], target, progress, note)
    except UserError as error:
        raise UserError(f"{error}\n{_cannot_fetch(spec, '')}") from error
    return Fetched(spec.name, target, was_there=False)


def recordings_digest(folder: Path) -> str:
    """One SHA-256 over the names and contents of all wav files below a folder.

    It is that of the lines "<sha256>  <name>" in the order of the names, as printed by
    `sha256sum *.wav`.
    """
    files = sorted(folder.rglob("*.wav"), key=lambda path: path.name)
    lines = (f"{file_digest(path)}  {path.name}\n" for path in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _fetch(
    spec: CorpusSpec,
    source: CorpusSource,
    target: Path,
    progress: Progress | None,
    note: Callable[[str], None],
) -> None:
    name = source.remote.url.rpartition("/")[2]
    archive = target.parent / f".{spec.reader}-{name}"
    note(f"{spec.name}: fetching {source.remote.url}")
    download(source.remote, archive, progress)
    note(f"{spec.name}: unpacking to {target}")
    try:
        with unpacked(archive, target) as folder:
            _check_content(folder, spec, source)
            _set_aside(target, note)
    except UserError:
        archive.unlink()  # it arrived whole but is of no use; the next call fetches it anew
        raise
    archive.unlink()


def _check_content(folder: Path, spec: CorpusSpec, source: CorpusSource) -> None:
    expected = corpus_card(spec).utterances
    found = _count(folder, spec)
    if found != expected:
        raise UserError(f"{source.remote.url}: holds {found} recordings instead of {expected}")
    digest = source.recordings_sha256
    if digest and recordings_digest(folder) != digest:
        raise UserError(f"{source.remote.url}: the recordings are not those that were published")


def _set_aside(target: Path, note: Callable[[str], None]) -> None:
    """An incomplete corpus makes way, but is not deleted: it may hold someone's work."""
    if not target.exists():
        return
    if target.is_dir() and not any(target.iterdir()):
        target.rmdir()
        return
    number = 1
    while (aside := target.with_name(f"{target.name}.incomplete-{number}")).exists():
        number += 1
    target.rename(aside)
    note(f"{target}: was incomplete, and is now {aside}")


def _count(root: Path, spec: CorpusSpec) -> int:
    corpus: Corpus = import_module(corpus_card(spec).module).read(root, spec)
    return len({utterance.utterance_id for utterance in corpus.utterances})


def _target(spec: CorpusSpec) -> Path:
    if spec.root:
        return Path(spec.root).expanduser()
    folder = corpora_folder()
    if folder is None:
        raise UserError(f"set ${CORPORA_VARIABLE} to the folder that corpora are to be fetched to")
    return folder / spec.name


def _cannot_fetch(spec: CorpusSpec, reason: str) -> str:
    folder = spec.root or f"${CORPORA_VARIABLE}/{spec.name}"
    head = f"corpus {spec.name!r} is not on this machine" + (f", and {reason}" if reason else "")
    if spec.reader not in SOURCES:
        return (
            f"{head}; it has no public address: put it at {folder}, or name its folder as `root:`"
        )
    url = SOURCES[spec.reader].remote.url
    return f"{head}. Without a network, fetch {url} elsewhere and unpack it at {folder}."
