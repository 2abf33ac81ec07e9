"""Supervised processes: they are sent messages, send some, and how they end is told.

Each is started afresh, so that it has nothing of the process that started it, and ends when that
one is gone, however it went.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

from harness.redaction import redacted

Serve = Callable[..., None]
"""What a worker does: it takes its end of the connection, then what it was started with."""

_MOST_OF_A_STACK = 1 << 16


@dataclass(eq=False)
class Worker:
    """A process of its own, and the line to it."""

    process: BaseProcess
    connection: Connection
    """Gives EOFError once the process is gone and all it sent is read."""
    faults: Connection
    """Where Python leaves the stack of a process that a signal ends."""
    memory_kills: int = field(default_factory=lambda: _memory_kills())
    """How many there were when it began."""

    def ending(self) -> str:
        """How a process ended that is gone: where it was, if that is known, then a line."""
        code = self._exit_code()
        by_signal = f"its process was ended by {signal_name(-code)}"
        how = by_signal if code < 0 else f"its process exited with {code}"
        os.set_blocking(self.faults.fileno(), False)
        with suppress(BlockingIOError):
            stack = os.read(self.faults.fileno(), _MOST_OF_A_STACK)
            how = f"{stack.decode(errors='replace')}\n{how}"
        return redacted(how.strip())

    def memory_ran_out(self) -> bool:
        """Whether the kernel ended a process that is gone, because memory ran out."""
        return self._exit_code() == -signal.SIGKILL and _memory_kills() > self.memory_kills

    def close(self) -> None:
        """End it, if it has not ended by itself."""
        self.process.kill()
        self.process.join()
        self.connection.close()
        self.faults.close()

    def _exit_code(self) -> int:
        self.process.join()
        return self.process.exitcode or 0


def start_worker(serve: Serve, *arguments: Any) -> Worker:
    """Start a process that calls `serve(connection, *arguments)`; all of it must be picklable."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    told, faults = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(serve, theirs, faults, arguments), daemon=True)
    with _without_main():
        process.start()
    theirs.close()
    faults.close()
    return Worker(process, ours, told)


@contextmanager
def _without_main() -> Iterator[None]:
    """A process that starts would run the user's script, which need not expect that, once more."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def signal_name(number: int) -> str:
    """What a signal is called.

    >>> signal_name(11), signal_name(99)
    ('SIGSEGV', 'signal 99')
    """
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _run(
    serve: Serve, connection: Connection, faults: Connection, arguments: tuple[Any, ...]
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the parent decides
    Thread(target=_end_with_parent, daemon=True).start()
    faulthandler.enable(faults.fileno(), all_threads=False)
    with suppress(BrokenPipeError):
        serve(connection, *arguments)
    faulthandler.disable()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


_COUNTERS = (Path("/proc/vmstat"), Path("/sys/fs/cgroup/memory.events"))
"""Of this machine, and of the container this runs in."""


def _memory_kills() -> int:
    """How many processes the kernel has ended because memory ran out; only a change says something.

    0 where the system does not tell.
    """
    total = 0
    for path in _COUNTERS:
        with suppress(OSError, ValueError):
            counts = dict(line.split() for line in path.read_text().splitlines())
            total += int(counts.get("oom_kill", 0))
    return total
