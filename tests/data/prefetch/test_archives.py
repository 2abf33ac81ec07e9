from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from harness.data.prefetch.archives import unpacked
from harness.errors import UserError


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as bundle:
        for name, content in members.items():
            bundle.writestr(name, content)
    return path


def test_an_archive_takes_its_place_only_when_the_block_ends_well(tmp_path: Path) -> None:
    bundle = archive(tmp_path / "a.zip", {"wav/a.wav": b"1", "read.me": b"2"})
    target = tmp_path / "corpus"
    with unpacked(bundle, target) as folder:
        assert (folder / "wav" / "a.wav").read_bytes() == b"1"
        assert not target.exists()
    assert (target / "read.me").read_bytes() == b"2"
    assert stat.S_IMODE(target.stat().st_mode) == 0o755


def test_what_the_block_refuses_leaves_no_trace(tmp_path: Path) -> None:
    bundle = archive(tmp_path / "a.zip", {"a.wav": b"1"})
    with pytest.raises(UserError, match="too few"), unpacked(bundle, tmp_path / "corpus"):
        raise UserError("too few")
    assert list(tmp_path.iterdir()) == [bundle]


@pytest.mark.parametrize("name", ["../out.wav", "/out.wav", "a/../../out.wav", "C:/out.wav"])
def test_a_member_that_reaches_outside_is_refused(tmp_path: Path, name: str) -> None:
    bundle = archive(tmp_path / "a.zip", {"a.wav": b"1", name: b"2"})
    with pytest.raises(UserError, match="outside its folder"), unpacked(bundle, tmp_path / "c"):
        pass
    assert list(tmp_path.iterdir()) == [bundle]


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as bundle:
        bundle.writestr(link, "/etc/passwd")
    with (
        pytest.raises(UserError, match="outside its folder"),
        unpacked(tmp_path / "a.zip", tmp_path / "c"),
    ):
        pass


@pytest.mark.parametrize("damage", ["cut", "flipped", "words"])
def test_a_damaged_archive_is_told(tmp_path: Path, damage: str) -> None:
    bundle = archive(tmp_path / "a.zip", {"a.wav": bytes(range(256)) * 40})
    content = bytearray(bundle.read_bytes())
    if damage == "cut":
        content = content[:5_000]
    elif damage == "flipped":
        content[5_000] ^= 255
    else:
        content = bytearray(b"<html>not found</html>")
    bundle.write_bytes(content)
    with (
        pytest.raises(UserError, match=r"a\.zip: is damaged"),
        unpacked(bundle, tmp_path / "c"),
    ):
        pass
    assert list(tmp_path.iterdir()) == [bundle]
