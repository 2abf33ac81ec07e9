"""Runs the command line inside the test's process: fast, and with its real exit code."""

import sys
from dataclasses import dataclass

import pytest

from harness.__main__ import main


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


class CommandLine:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Answer:
        code = exit_code(self._monkeypatch, *arguments)
        printed = self._capsys.readouterr()
        return Answer(code, printed.out, printed.err)


def exit_code(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """What the command line ends with, given these arguments."""
    monkeypatch.setattr(sys, "argv", ["harness", *map(str, arguments)])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0
