"""Files are written whole or not at all."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.files import atomic_path, content_digest, file_digest, sweep, write_text

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_an_error_while_writing_keeps_the_old_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "file"
    write_text(target, "old")

    def write_half() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError("crash")

    with pytest.raises(RuntimeError):
        write_half()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_killed_process_left_unfinished_is_swept_and_nothing_else(tmp_path: Path) -> None:
    code = (
        "import os, sys, pathlib; from harness.files import atomic_path\n"
        "with atomic_path(pathlib.Path(sys.argv[1])): os._exit(9)"
    )
    target = tmp_path / "below" / "record.json"
    assert subprocess.run([sys.executable, "-c", code, str(target)], check=False).returncode == 9
    (left,) = target.parent.iterdir()
    others = [tmp_path / name for name in (".notes.markdown", ".lock", "a.part", ".x.part")]
    for other in others:
        other.touch()
    sweep(tmp_path, older_than_s=3600.0)
    assert left.exists()
    sweep(tmp_path)
    assert not left.exists()
    assert all(other.exists() for other in others)


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "file", "text")
    assert (tmp_path / "a" / "b" / "file").read_text() == "text"


def test_a_written_file_can_be_read_by_others_as_the_umask_allows(tmp_path: Path) -> None:
    write_text(tmp_path / "atomic", "")
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


@given(st.dictionaries(st.text(), json_values))
def test_a_digest_does_not_depend_on_the_order_of_keys(value: dict[str, object]) -> None:
    backwards = dict(reversed(value.items()))
    assert content_digest(value) == content_digest(backwards)


def test_a_files_digest_is_its_sha256(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "file").write_bytes(content)
    assert file_digest(tmp_path / "file") == hashlib.sha256(content).hexdigest()
