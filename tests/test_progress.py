"""Progress in a log: few lines, and none lost."""

import io
import re

import pytest
from rich.console import Console

from harness.progress import BarReporter, LogReporter, reporting


def log() -> tuple[LogReporter, io.StringIO]:
    out = io.StringIO()
    return LogReporter(Console(file=out, width=40)), out


def test_notes_are_whole_lines_with_the_time_whatever_the_width() -> None:
    reporter, out = log()
    reporter.note("a [note] " + "x" * 100)
    assert out.getvalue().endswith(f"a [note] {'x' * 100}\n")
    assert out.getvalue()[2] == ":"


def test_steps_are_told_at_most_once_an_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    reporter, out = log()
    trials = reporter.begin("trials", 1)
    steps = reporter.begin("steps", 100)
    for _ in range(100):
        now += 1.0
        reporter.advance(steps, "loss 1")
    reporter.end(steps)
    reporter.advance(trials)
    lines = out.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("steps: 31/100 loss 1")


def test_a_terminal_gets_bars_and_a_log_gets_lines() -> None:
    with reporting(Console(file=io.StringIO(), force_terminal=True)) as bars:
        assert isinstance(bars, BarReporter)
    with reporting(Console(file=io.StringIO())) as lines:
        assert isinstance(lines, LogReporter)


def bars(reporter: BarReporter) -> list[list[str]]:
    """The words and counts of each bar that is shown, from top to bottom."""
    out = Console(file=io.StringIO(), width=100, record=True)
    out.print(reporter._progress.get_renderable())
    lines = out.export_text().splitlines()
    return [re.findall(r"trials|steps|\d+/\d+|loss \d", line) for line in lines if line.strip()]


def test_each_task_has_a_bar_that_moves_by_itself() -> None:
    with BarReporter(Console(file=io.StringIO(), force_terminal=True, width=100)) as reporter:
        trials = reporter.begin("trials", 2)
        first, second = reporter.begin("steps", 3), reporter.begin("steps", 9)
        reporter.advance(first, "loss 1")
        reporter.advance(second, steps=4)
        assert bars(reporter) == [["trials", "0/2"], ["steps", "1/3", "loss 1"], ["steps", "4/9"]]
        reporter.end(first)
        reporter.advance(trials)
        assert bars(reporter) == [["trials", "1/2"], ["steps", "4/9"]]
        reporter.end(second)
        reporter.end(trials)
        assert bars(reporter) == []


def test_a_note_stays_above_the_bars() -> None:
    out = io.StringIO()
    with BarReporter(Console(file=out, force_terminal=True, width=100)) as reporter:
        reporter.begin("trials", 2)
        reporter.note("one is done")
    text = out.getvalue()
    assert "trials" in text[text.rindex("one is done") :]  # drawn anew under the note
