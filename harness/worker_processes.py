"""Supervised processes: they are sent messages, send some, and how they end is told.

Each is started afresh, so that it has nothing of the process that started it, and ends when that
one is gone, however it went.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from typing import Any

Serve = Callable[..., None]
"""What a worker does: it takes its end of the connection, then what it was started with."""


@dataclass(eq=False)
class Worker:
    """A process of its own, and the line to it."""

    process: BaseProcess
    connection: Connection
    """Gives EOFError once the process is gone and all it sent is read."""
    faults: Path
    """Where Python leaves the stack of a process that a signal ends."""

    def ending(self) -> str:
        """How a process ended that is gone: where it was, if that is known, then a line."""
        self.process.join()
        code = self.process.exitcode or 0
        by_signal = f"its process was ended by {signal_name(-code)}"
        how = by_signal if code < 0 else f"its process exited with {code}"
        with suppress(OSError):
            how = f"{self.faults.read_text(errors='replace')}\n{how}"
        return how.strip()

    def close(self, patience_s: float = 0.0) -> None:
        """Let it end by itself for so long, then end it."""
        self.process.join(patience_s)
        self.process.kill()
        self.process.join()
        self.connection.close()
        self.faults.unlink(missing_ok=True)


def start_worker(serve: Serve, *arguments: Any) -> Worker:
    """Start a process that calls `serve(connection, *arguments)`; all of it must be picklable."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    handle, name = tempfile.mkstemp(prefix="harness-faults-")
    os.close(handle)
    process = context.Process(target=_run, args=(serve, theirs, Path(name), arguments), daemon=True)
    process.start()
    theirs.close()
    return Worker(process, ours, Path(name))


def signal_name(number: int) -> str:
    """What a signal is called.

    >>> signal_name(11), signal_name(99)
    ('SIGSEGV', 'signal 99')
    """
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _run(serve: Serve, connection: Connection, faults: Path, arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the parent decides
    Thread(target=_end_with_parent, daemon=True).start()
    with faults.open("w") as file, suppress(BrokenPipeError):
        faulthandler.enable(file, all_threads=False)
        serve(connection, *arguments)
        faulthandler.disable()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


_COUNTERS = (Path("/proc/vmstat"), Path("/sys/fs/cgroup/memory.events"))
"""Of this machine, and of the container this runs in."""


def memory_kills() -> int:
    """How many processes the kernel has ended because memory ran out; only a change says something.

    0 where the system does not tell.
    """
    total = 0
    for path in _COUNTERS:
        with suppress(OSError, ValueError):
            counts = dict(line.split() for line in path.read_text().splitlines())
            total += int(counts.get("oom_kill", 0))
    return total
