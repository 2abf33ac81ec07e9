"""Tells trackers what happens, without ever waiting for one while there is work to do.

Each has a process of its own. One that fails, hangs or is killed is told of in one line, and no
trial hears of it.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from harness.errors import UserError
from harness.suite.schema import Suite
from harness.tracking.publish import Message, Place, serve

FOLDER = "tracking"
PATIENCE_S = 60.0
"""How long, when there is nothing else to do, a tracker may take for one message."""
LONGEST_S = 600.0
"""How long it may take for all of them; what it misses then is told by the next run."""
GRACE_S = 4.0
"""How long all trackers may, when the run is interrupted: less than `docker stop` waits."""


@dataclass
class Follower:
    """One tracker's process, and how far it has come."""

    place: Place
    process: BaseProcess
    answers: Connection
    queue: SimpleQueue[Message | None]
    told: int = 0
    answered: int = 0
    complaint: str | None = None

    def tell(self, message: Message) -> None:
        """Leave a message; a thread of its own hands it on."""
        if self.complaint is None:
            self.queue.put(message)
            self.told += 1

    def settle(self, deadline: float) -> None:
        """Wait until all that was told is dealt with, but no longer than a point in time."""
        while self.complaint is None and self.answered < self.told:
            self.complaint = self._answer(deadline)
            self.answered += 1
        if self.complaint:
            self.process.kill()  # so that it is not at work while something is measured

    def _answer(self, deadline: float) -> str | None:
        patience_s = max(0.0, min(PATIENCE_S, deadline - time.monotonic()))
        if not self.answers.poll(patience_s):
            return f"it did not answer for {patience_s:.0f} s"
        try:
            answer: str | None = self.answers.recv()
        except EOFError:
            return "its process ended"
        return answer


@dataclass(frozen=True)
class Tracking:
    """All trackers of a run; none, if the suite names none."""

    followers: Sequence[Follower] = ()

    def tell(self, message: Message) -> None:
        """Tell every tracker, and wait for none."""
        for follower in self.followers:
            follower.tell(message)

    def settle(self, note: Callable[[str], None]) -> None:
        """Let the trackers finish what they were told, so that none disturbs what comes next."""
        deadline = time.monotonic() + LONGEST_S
        for follower in self.followers:
            sound = follower.complaint is None
            follower.settle(deadline)
            if sound and follower.complaint:
                name = follower.place.tracker
                note(f"tracking: {name} is left out from here on: {follower.complaint}")


NO_TRACKING = Tracking()


@contextmanager
def tracking(
    suite: Suite, results: Path, note: Callable[[str], None], *, offline: bool
) -> Iterator[Tracking]:
    """The trackers that a suite names, for the length of a run.

    Raises:
        UserError: one of them is not installed.
    """
    missing = [name for name in suite.tracking if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"suite {suite.suite}: tracking: {', '.join(missing)} is not installed: "
            f"pip install -c constraints.txt -e '.[{','.join(missing)}]', or leave it out with "
            "--set tracking=[]"
        )
    followers = [
        _started(Place(name, suite.suite, (results / FOLDER).absolute(), offline))
        for name in suite.tracking
    ]
    found = Tracking(followers)
    try:
        yield found
        found.settle(note)
    except BaseException:
        _end(followers, GRACE_S)
        raise
    _end(followers, PATIENCE_S)


def _started(place: Place) -> Follower:
    context = multiprocessing.get_context("spawn")
    messages, ours = context.Pipe(duplex=False)
    answers, theirs = context.Pipe(duplex=False)
    process = context.Process(target=serve, args=(place, messages, theirs), daemon=True)
    process.start()
    messages.close()
    theirs.close()
    queue: SimpleQueue[Message | None] = SimpleQueue()
    Thread(target=_hand_on, args=(queue, ours), daemon=True).start()
    return Follower(place, process, answers, queue)


def _hand_on(queue: SimpleQueue[Message | None], messages: Connection) -> None:
    """A pipe that nobody reads is full at some time: only this thread waits for it then."""
    with suppress(OSError):
        while True:
            message = queue.get()
            messages.send(message)
            if message is None:
                return


def _end(followers: Sequence[Follower], patience_s: float) -> None:
    """They leave by themselves when they have written what they were told, or are made to."""
    deadline = time.monotonic() + patience_s
    try:
        for follower in followers:
            follower.queue.put(None)
        for follower in followers:
            if follower.complaint is None:
                follower.process.join(max(0.0, deadline - time.monotonic()))
    finally:
        for follower in followers:
            follower.process.kill()
