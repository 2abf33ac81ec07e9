"""Progress of a long run: bars on a terminal, plain lines in a log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)


class Reporter(Protocol):
    """Shows the progress of tasks, several of which may be under way."""

    def note(self, text: str) -> None:
        """Say one line that stays."""

    def begin(self, task: str, total: int) -> int:
        """A task of `total` steps begins; the number by which it is known."""

    def advance(self, task: int, detail: str = "", steps: int = 1) -> None:
        """So many steps of a task are done."""

    def end(self, task: int) -> None:
        """A task is over."""


class LogReporter:
    """Plain lines with the time, for logs and pipes: at most one every half minute."""

    interval_s = 30.0

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tasks: dict[int, tuple[str, int, int]] = {}
        self._last_line = time.monotonic()

    def note(self, text: str) -> None:
        """Print one line."""
        self._last_line = time.monotonic()
        self._console.print(f"{time.strftime('%H:%M:%S')} {text}", markup=False, soft_wrap=True)

    def begin(self, task: str, total: int) -> int:
        """Remember the task."""
        number = max(self._tasks, default=0) + 1
        self._tasks[number] = (task, total, 0)
        return number

    def advance(self, task: int, detail: str = "", steps: int = 1) -> None:
        """Print a line if none was printed for a while."""
        name, total, done = self._tasks[task]
        self._tasks[task] = (name, total, done + steps)
        if time.monotonic() - self._last_line > self.interval_s:
            self.note(f"{name}: {done + steps}/{total} {detail}".rstrip())

    def end(self, task: int) -> None:
        """Forget the task."""
        del self._tasks[task]


class BarReporter(AbstractContextManager["BarReporter"]):
    """Bars with the time left, for a terminal."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}", style="dim"),
            console=console,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def note(self, text: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(text, markup=False, soft_wrap=True)

    def begin(self, task: str, total: int) -> int:
        """Add a bar."""
        return self._progress.add_task(task, total=total, detail="")

    def advance(self, task: int, detail: str = "", steps: int = 1) -> None:
        """Move its bar."""
        self._progress.update(TaskID(task), advance=steps, detail=detail)

    def end(self, task: int) -> None:
        """Take its bar away."""
        self._progress.remove_task(TaskID(task))


@contextmanager
def reporting(console: Console) -> Iterator[Reporter]:
    """Bars if the console is a terminal, plain lines if not."""
    if console.is_terminal:
        with BarReporter(console) as reporter:
            yield reporter
    else:
        yield LogReporter(console)
