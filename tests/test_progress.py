"""Progress in a log: few lines, and none lost."""

import io

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
    reporter.begin("trials", 1)
    reporter.begin("steps", 100)
    for _ in range(100):
        now += 1.0
        reporter.advance("loss 1")
    reporter.end()
    reporter.advance()
    lines = out.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("steps: 31/100 loss 1")


def test_a_terminal_gets_bars_and_a_log_gets_lines() -> None:
    with reporting(Console(file=io.StringIO(), force_terminal=True)) as bars:
        assert isinstance(bars, BarReporter)
    with reporting(Console(file=io.StringIO())) as lines:
        assert isinstance(lines, LogReporter)


def test_bars_nest_and_notes_stay_above_them() -> None:
    out = io.StringIO()
    with BarReporter(Console(file=out, force_terminal=True, width=100)) as reporter:
        reporter.begin("trials", 2)
        reporter.begin("steps", 3)
        reporter.advance("loss 1")
        reporter.note("one is done")
        reporter.end()
        reporter.advance()
        reporter.end()
    assert "one is done" in out.getvalue()
    assert "trials" in out.getvalue()
