"""Stopping on request: a signal asks, and the work stops where it loses nothing."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

ASKING = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """Work ended because a signal asked it to; what it had is saved."""


@dataclass(eq=False)
class StopRequest:
    """Whether this process was asked to stop."""

    asked: bool = False
    fileno: int = -1
    """Can be read from once it was asked, for those who wait for files."""
    _ask: int = field(default=-1, repr=False)
    _patient: bool = field(default=False, repr=False)

    def check(self) -> None:
        """Go on if nobody asked.

        Raises:
            Interrupted: somebody did.
        """
        if self.asked:
            raise Interrupted

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked and self._patient:
            return
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        os.write(self._ask, b"!")


NEVER = StopRequest()
"""Of work that nobody asks to stop."""


@contextmanager
def stopping_on(
    signals: Sequence[signal.Signals] = ASKING, *, patient: bool = False
) -> Iterator[StopRequest]:
    """Within the block the first of these signals only asks, and the second interrupts at once.

    Python lets only the main thread take signals; elsewhere they do what they did before.

    Args:
        signals: which
        patient: the second one asks, too
    """
    if threading.current_thread() is not threading.main_thread():
        yield StopRequest()
        return
    listening, asking = os.pipe()
    request = StopRequest(fileno=listening, _ask=asking, _patient=patient)
    before = {number: signal.signal(number, request._hear) for number in signals}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(listening)
        os.close(asking)
