"""Unpack an archive that others made: whole or not at all, and never outside its folder."""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from harness.errors import UserError


@contextmanager
def unpacked(archive: Path, target: Path) -> Iterator[Path]:
    """Unpack beside `target`; when the block ends well, the folder takes the name `target`.

    The block may look at what was unpacked, and refuse it by raising.

    Raises:
        UserError: the archive is damaged, reaches outside its folder, or does not fit on disk.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        _extract(archive, folder)
        yield folder
        folder.chmod(0o755)  # mkdtemp makes it private
        folder.replace(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _extract(archive: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as bundle:
            members = bundle.infolist()
            for member in members:
                _check_member(archive, member)
            _check_disk_space(folder, sum(member.file_size for member in members))
            bundle.extractall(folder)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError) as error:
        raise UserError(f"{archive}: is damaged ({error}); delete it and fetch it again") from error
    except OSError as error:
        raise UserError(f"{archive}: cannot be unpacked in {folder.parent} ({error})") from error


def _check_member(archive: Path, member: zipfile.ZipInfo) -> None:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or is_link:
        raise UserError(f"{archive}: refused, since {member.filename!r} reaches outside its folder")


def _check_disk_space(folder: Path, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if needed_bytes > free_bytes:
        raise UserError(
            f"{folder.parent}: {needed_bytes / 1e6:.0f} MB are needed, "
            f"and {free_bytes / 1e6:.0f} MB are free"
        )
