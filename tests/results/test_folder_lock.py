"""Two runs, one folder: the second one says who holds it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import ResultsError
from harness.results.folder_lock import HOLDER, holding

HOLD = """
import sys, time
from pathlib import Path
from harness.results.folder_lock import holding
with holding(Path(sys.argv[1]), print):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def holder(folder: Path, seconds: float) -> subprocess.Popen[str]:
    """Another process that is at work in the folder."""
    command = [sys.executable, "-c", HOLD, str(folder), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = holder(tmp_path, 60)
    yield process
    process.kill()
    process.wait()


def test_a_second_run_is_told_who_holds_the_folder(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    told = rf"in use by process {other.pid} on .+, since \d{{4}}-.*--wait"
    with pytest.raises(ResultsError, match=told), holding(tmp_path, print):
        pass


def test_a_run_that_was_killed_holds_nothing(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    assert (tmp_path / HOLDER).exists()
    with holding(tmp_path, print):
        assert str(os.getpid()) in (tmp_path / HOLDER).read_text()
    assert not (tmp_path / HOLDER).exists()


def test_one_that_waits_begins_when_the_first_has_ended(tmp_path: Path) -> None:
    first = holder(tmp_path, 2)
    notes: list[str] = []
    started = time.monotonic()
    with holding(tmp_path, notes.append, wait=True):
        assert time.monotonic() - started > 1
    assert first.wait() == 0
    assert f"process {first.pid}" in notes[0]
    assert notes[0].endswith("waiting for it to end")


def test_a_damaged_note_still_keeps_others_out(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    (tmp_path / HOLDER).write_text("[" * 100_000)
    with pytest.raises(ResultsError, match="in use by another run"), holding(tmp_path, print):
        pass
