"""Tells trackers what happens, without ever waiting for one while there is work to do.

Each has a process of its own. One that fails, hangs or is killed is told of in one line, and no
trial hears of it.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from harness.errors import UserError
from harness.runs.tracking.publishing import Message, TrackerTarget, serve
from harness.specs import Suite
from harness.worker_processes import Worker, start_worker

FOLDER = "tracking"
PATIENCE_S = 60.0
"""How long, when there is nothing else to do, a tracker may take for one message."""
LONGEST_S = 600.0
"""How long it may take for all of them; what it misses then is told by the next run."""
GRACE_S = 4.0
"""How long all trackers may, when the run is interrupted: less than `docker stop` waits."""


@dataclass
class TrackerProcess:
    """One tracker's process, and how far it has come."""

    place: TrackerTarget
    worker: Worker
    queue: SimpleQueue[Message | None]
    told: int = 0
    answered: int = 0
    complaint: str | None = None

    def tell(self, message: Message) -> None:
        """Leave a message; a thread of its own hands it on."""
        if self.complaint is None:
            self.queue.put(message)
            self.told += 1

    def hear(self) -> None:
        """Take in what it has answered by now."""
        while self._owes() and self.worker.connection.poll():
            self._take()

    def settle(self) -> None:
        """Wait until all that was told is dealt with, while answers come, but not for ever."""
        deadline = time.monotonic() + LONGEST_S
        while self._owes():
            if time.monotonic() > deadline:
                self._leave_out(
                    f"it is behind after {LONGEST_S:.0f} s; the next run tells the rest"
                )
            elif self.worker.connection.poll(PATIENCE_S):
                self._take()
            else:
                self._leave_out(f"it did not answer for {PATIENCE_S:.0f} s")

    def _owes(self) -> bool:
        return self.complaint is None and self.answered < self.told

    def _take(self) -> None:
        try:
            complaint: str | None = self.worker.connection.recv()
        except (EOFError, OSError):
            complaint = self.worker.ending().splitlines()[-1]
        self.answered += 1
        if complaint:
            self._leave_out(complaint)

    def _leave_out(self, complaint: str) -> None:
        self.complaint = complaint
        self.worker.process.kill()  # so that it is not at work while something is measured


@dataclass(frozen=True)
class Tracking:
    """All trackers of a run; none, if the suite names none."""

    processes: Sequence[TrackerProcess] = ()
    note: Callable[[str], None] = print

    def tell(self, message: Message) -> None:
        """Tell every tracker, and wait for none; note which have failed until now."""
        self.hear()
        for process_of_tracker in self.processes:
            process_of_tracker.tell(message)

    def hear(self) -> None:
        """Note which have failed until now."""
        self._noting(TrackerProcess.hear)

    def settle(self) -> None:
        """Let the trackers finish what they were told, so that none disturbs what comes next."""
        self._noting(TrackerProcess.settle)

    def _noting(self, listen: Callable[[TrackerProcess], None]) -> None:
        for process_of_tracker in self.processes:
            sound = process_of_tracker.complaint is None
            listen(process_of_tracker)
            if sound and process_of_tracker.complaint:
                name = process_of_tracker.place.tracker
                self.note(
                    f"tracking: {name} is left out from here on: {process_of_tracker.complaint}"
                )


NO_TRACKING = Tracking()


@contextmanager
def tracking(
    suite: Suite, results: Path, note: Callable[[str], None], *, offline: bool
) -> Iterator[Tracking]:
    """The trackers that a suite names, for the length of a run.

    Raises:
        UserError: one of them is not installed.
    """
    missing = [name for name in suite.tracking if not _is_installed(name)]
    if missing:
        raise UserError(
            f"suite {suite.suite}: tracking: {', '.join(missing)} is not installed: "
            f"pip install -c constraints.txt -e '.[{','.join(missing)}]', or leave it out with "
            "--set tracking=[]"
        )
    processes: list[TrackerProcess] = []
    found = Tracking(processes, note)
    try:
        for name in suite.tracking:
            place = TrackerTarget(name, suite.suite, (results / FOLDER).absolute(), offline)
            processes.append(_started(place))
        yield found
        found.settle()
    except BaseException:
        found.hear()
        _end(processes, GRACE_S)
        raise
    _end(processes, PATIENCE_S)


def _is_installed(name: str) -> bool:
    """A folder of that name, as W&B leaves one behind, is none."""
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.loader is not None


def _started(place: TrackerTarget) -> TrackerProcess:
    worker = start_worker(serve, place)
    queue: SimpleQueue[Message | None] = SimpleQueue()
    Thread(target=_hand_on, args=(queue, worker.connection), daemon=True).start()
    return TrackerProcess(place, worker, queue)


def _hand_on(queue: SimpleQueue[Message | None], messages: Connection) -> None:
    """A line that nobody reads is full at some time: only this thread waits for it then."""
    with suppress(OSError):
        while True:
            message = queue.get()
            messages.send(message)
            if message is None:
                return


def _end(processes: Sequence[TrackerProcess], patience_s: float) -> None:
    """They leave by themselves when they have written what they were told, or are made to."""
    deadline = time.monotonic() + patience_s
    try:
        for process_of_tracker in processes:
            process_of_tracker.queue.put(None)
        for process_of_tracker in processes:
            if process_of_tracker.complaint is None:
                process_of_tracker.worker.process.join(max(0.0, deadline - time.monotonic()))
    finally:
        for process_of_tracker in processes:
            process_of_tracker.worker.close()
