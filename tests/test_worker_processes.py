"""A supervised process answers, and how it ended is told."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import serving

from harness import worker_processes
from harness.worker_processes import Worker, start_worker

STARTER = """
import time, serving
from harness.worker_processes import start_worker
print(start_worker(serving.sleep).process.pid, flush=True)
time.sleep(600)
"""


@contextmanager
def gone(serve: Callable[..., None], *arguments: Any) -> Iterator[Worker]:
    """A worker that has ended by itself."""
    with closing(start_worker(serve, *arguments)) as worker:
        with pytest.raises(EOFError):
            worker.connection.recv()
        yield worker


def test_it_answers_and_leaves_no_file_behind() -> None:
    before = set(Path(tempfile.gettempdir()).glob("harness*"))
    with closing(start_worker(serving.echo)) as worker:
        worker.connection.send("hello")
        assert worker.connection.recv() == "hello"
        assert worker.ending() == "its process exited with 0"
    assert set(Path(tempfile.gettempdir()).glob("harness*")) == before


def test_a_fault_is_told_with_where_it_was() -> None:
    with gone(serving.end_by, signal.SIGSEGV) as worker:
        *stack, how = worker.ending().splitlines()
    assert how == "its process was ended by SIGSEGV"
    assert any("serving.py" in line and "in end_by" in line for line in stack)


def test_an_exit_is_told() -> None:
    with gone(serving.leave) as worker:
        assert worker.ending() == "its process exited with 0"


@pytest.mark.parametrize(
    ("number", "kills", "ran_out"),
    [(signal.SIGKILL, 1, True), (signal.SIGKILL, 0, False), (signal.SIGSEGV, 1, False)],
)
def test_memory_ran_out_if_the_kernel_counted_a_kill_and_it_was_killed(
    number: signal.Signals, kills: int, ran_out: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gone(serving.end_by, number) as worker:
        now = worker.memory_kills + kills
        monkeypatch.setattr(worker_processes, "_memory_kills", lambda: now)
        assert worker.memory_ran_out() == ran_out


def test_it_ends_with_the_process_that_started_it_whatever_it_is_at() -> None:
    paths = os.pathsep.join(filter(None, sys.path))
    with subprocess.Popen(
        [sys.executable, "-c", STARTER],
        env=os.environ | {"PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        assert starter.stdout
        worker = psutil.Process(int(starter.stdout.readline()))
        starter.kill()
    psutil.wait_procs([worker], timeout=20)
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
