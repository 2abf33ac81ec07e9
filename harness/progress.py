"""Progress of a long run: bars on a terminal, plain lines in a log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Reporter(Protocol):
    """Shows the progress of nested tasks."""

    def note(self, text: str) -> None:
        """Say one line that stays."""

    def begin(self, task: str, total: int) -> None:
        """A task of `total` steps begins."""

    def advance(self, detail: str = "") -> None:
        """One step of the innermost task is done."""

    def end(self) -> None:
        """The innermost task is over."""


class LogReporter:
    """Plain lines with the time, for logs and pipes: at most one every half minute."""

    interval_s = 30.0

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stack: list[tuple[str, int, int]] = []
        self._last_line = time.monotonic()

    def note(self, text: str) -> None:
        """Print one line."""
        self._last_line = time.monotonic()
        self._console.print(f"{time.strftime('%H:%M:%S')} {text}", markup=False, soft_wrap=True)

    def begin(self, task: str, total: int) -> None:
        """Remember the task."""
        self._stack.append((task, total, 0))

    def advance(self, detail: str = "") -> None:
        """Print a line if none was printed for a while."""
        task, total, done = self._stack.pop()
        self._stack.append((task, total, done + 1))
        if time.monotonic() - self._last_line > self.interval_s:
            self.note(f"{task}: {done + 1}/{total} {detail}".rstrip())

    def end(self) -> None:
        """Forget the task."""
        self._stack.pop()


class BarReporter(AbstractContextManager["BarReporter"]):
    """Nested bars with the time left, for a terminal."""

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

    def begin(self, task: str, total: int) -> None:
        """Add a bar."""
        self._progress.add_task(task, total=total, detail="")

    def advance(self, detail: str = "") -> None:
        """Move the newest bar."""
        self._progress.update(self._progress.task_ids[-1], advance=1, detail=detail)

    def end(self) -> None:
        """Take the newest bar away."""
        self._progress.remove_task(self._progress.task_ids[-1])


@contextmanager
def reporting(console: Console) -> Iterator[Reporter]:
    """Bars if the console is a terminal, plain lines if not."""
    if console.is_terminal:
        with BarReporter(console) as reporter:
            yield reporter
    else:
        yield LogReporter(console)
