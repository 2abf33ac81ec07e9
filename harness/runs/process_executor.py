"""Runs units of work in supervised processes: what ends one of them ends one trial."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing.connection import wait

from harness.errors import DiskSpaceError
from harness.interruption import StopRequest
from harness.results.records import Status
from harness.runs.events import (
    Event,
    FitAdvanced,
    FramesFailed,
    Stopping,
    TrialEnded,
    TrialsStarted,
    UnitReady,
)
from harness.runs.executors import Corpora, Told
from harness.runs.growth import Growth
from harness.runs.trial_execution import Outcome, unfinished_record
from harness.runs.unit_worker import (
    Answer,
    CloseUnit,
    Done,
    OpenUnit,
    Order,
    Refused,
    RunTrials,
    serve,
)
from harness.runs.work_units import WorkUnit
from harness.specs import Trial
from harness.worker_processes import Worker, start_worker

GRACE_S = 60.0
"""How long a worker may be silent beyond the limit of its trial's time."""
TRIES = 3
"""How often a unit is opened whose worker ends meanwhile; the last time without kept frames."""


@dataclass(eq=False)
class _Job:
    """A unit of work, and what of it nobody has begun."""

    unit: WorkUnit
    batches: deque[tuple[Trial, ...]] | None = None
    """None until its frames are there."""
    tries: int = 0

    def left(self) -> list[Trial]:
        """Trials that nobody has begun."""
        if self.batches is None:
            return list(self.unit.trials)
        return [trial for batch in self.batches for trial in batch]


@dataclass(eq=False)
class _Seat:
    """A worker's place: who is on it now, and what it is at."""

    number: int
    device: str
    worker: Worker
    job: _Job | None = None
    order: Order | None = None
    """What it has not carried out yet."""
    running: tuple[Trial, ...] = ()
    heard: float = field(default_factory=time.monotonic)

    def deadline(self) -> float | None:
        """When it will have been silent for too long, on the monotonic clock."""
        limits = [trial.training.time_limit_s for trial in self.running]
        known = [limit for limit in limits if limit is not None]
        return self.heard + sum(known) + GRACE_S if known and len(known) == len(limits) else None


@dataclass(eq=False)
class WorkerPool:
    """Processes that wait for units of work; each runs on one device."""

    devices: Sequence[str]
    """Of each worker, such as "cpu" or "cuda:1"."""
    threads: int | None
    """Of arithmetic in each of them; None leaves it to torch."""
    grows: bool = False
    """Whether a device begins with one worker, and gets more as long as that pays."""
    _waiting: list[Worker] = field(default_factory=list)

    def warm(self, workers: int) -> None:
        """Start some ahead of time: they import what they need meanwhile."""
        at_first = len(set(self.devices)) if self.grows else len(self.devices)
        while len(self._waiting) < min(workers, at_first):
            self._waiting.append(start_worker(serve, self.threads))

    def take(self) -> Worker:
        """One that waits, or a new one."""
        return self._waiting.pop() if self._waiting else start_worker(serve, self.threads)

    def close(self) -> None:
        """End those that nobody took."""
        while self._waiting:
            self._waiting.pop().close()


@dataclass(eq=False)
class ProcessExecutor:
    """Gives each worker of a pool a unit, and the trials of a unit to whoever is free."""

    pool: WorkerPool
    corpora: Corpora
    stop: StopRequest
    _units: deque[_Job] = field(default_factory=deque)
    _seats: list[_Seat] = field(default_factory=list)
    _stopping: bool = False
    _growth: dict[str, Growth] = field(default_factory=dict)
    """By device; none where all of the pool may work from the start."""

    def run(self, units: Sequence[WorkUnit]) -> Iterator[Told]:
        """The events of all units, as they happen.

        Raises:
            DiskSpaceError: there is no room for the frames that are to be kept.
            Interrupted: it was asked to stop, and what was at work has saved what it had.
        """
        self._units.extend(map(_Job, units))
        if self.pool.grows:
            self._growth = {
                device: Growth(most) for device, most in Counter(self.pool.devices).items()
            }
        try:
            self._assign()
            while any(seat.order for seat in self._seats):
                ready = self._ready()
                if self.stop.asked and not self._stopping:
                    yield 0, self._ask_to_stop()
                for seat in ready:
                    for event in self._hear(seat):
                        yield seat.number, event
                self._assign()
            self.stop.check()
        finally:
            for seat in self._seats:
                seat.worker.close()

    def _assign(self) -> None:
        """Give everybody who is free something to do; start who is missing, as long as it pays."""
        if self.stop.asked:
            return
        for seat in list(self._seats):
            if seat.order is None and self._may_work(seat.number):
                self._give(seat)
            elif seat.order is None:
                self._dismiss(seat)
        taken = {seat.number for seat in self._seats}
        for number, device in enumerate(self.pool.devices):
            if number not in taken and self._may_work(number) and self._find_job() is not None:
                seat = _Seat(number, device, self.pool.take())
                self._seats.append(seat)
                self._give(seat)

    def _may_work(self, number: int) -> bool:
        """Whether so many workers pay on its device."""
        device = self.pool.devices[number]
        before_it = self.pool.devices[:number].count(device)
        return device not in self._growth or before_it < self._growth[device].allowed

    def _dismiss(self, seat: _Seat) -> None:
        """It takes from the others what it does: what it has begun is for them."""
        self._seats.remove(seat)
        seat.worker.close()
        if seat.job is not None and seat.job.batches:
            self._hand_back(seat.job)

    def _hand_back(self, job: _Job) -> None:
        """Somebody has left it: if nobody else is at it, it is the next."""
        if not any(seat.job is job for seat in self._seats):
            self._units.appendleft(job)

    def _give(self, seat: _Seat) -> None:
        if seat.job is not None:
            batches = seat.job.batches
            self._send(seat, RunTrials(batches.popleft()) if batches else CloseUnit())
            return
        job = self._find_job()
        if job is None:
            return
        if job in self._units:
            self._units.remove(job)
        seat.job = job
        unit = replace(job.unit, options=replace(job.unit.options, device=seat.device))
        self._send(seat, OpenUnit(unit, self.corpora[unit.corpus]))

    def _find_job(self) -> _Job | None:
        """A unit that nobody has begun, or else the one of which most is left."""
        if self._units:
            return self._units[0]
        begun = [seat.job for seat in self._seats if seat.job is not None and seat.job.batches]
        return max(begun, key=lambda job: len(job.left()), default=None)

    def _send(self, seat: _Seat, order: Order) -> None:
        seat.order, seat.heard = order, time.monotonic()
        if isinstance(order, RunTrials):
            seat.running = order.batch
        with suppress(OSError):  # it is gone, which is heard of next
            seat.worker.connection.send(order)

    def _ready(self) -> list[_Seat]:
        """Wait for somebody to say something, to end, or to be silent for too long."""
        busy = [seat for seat in self._seats if seat.order is not None]
        deadlines = [seat.deadline() for seat in busy]
        next_deadline = min((each for each in deadlines if each is not None), default=None)
        patience = None if next_deadline is None else max(0.0, next_deadline - time.monotonic())
        lines = {seat.worker.connection: seat for seat in busy}
        ears = [self.stop.fileno] * (self.stop.fileno >= 0 and not self.stop.asked)
        said = wait([*lines, *ears], patience)
        return [seat for seat in busy if seat.worker.connection in said or _silent(seat)]

    def _ask_to_stop(self) -> Stopping:
        self._stopping = True
        for seat in self._seats:
            seat.worker.process.terminate()  # it saves what it has
        return Stopping()

    def _hear(self, seat: _Seat) -> Iterator[Event]:
        if seat.worker.connection.poll():
            try:
                answer: Answer = seat.worker.connection.recv()
            except (EOFError, OSError):
                yield from self._lost(seat, None)
                return
            seat.heard = time.monotonic()
            yield from self._take(seat, answer)
        elif _silent(seat):
            seat.worker.process.kill()
            yield from self._lost(seat, "timeout")

    def _take(self, seat: _Seat, answer: Answer) -> Iterator[Event]:
        match answer:
            case Done():
                if isinstance(seat.order, CloseUnit):
                    seat.job = None
                seat.order, seat.running = None, ()
            case Refused(error):
                raise DiskSpaceError(error)
            case UnitReady(batches):
                if seat.job is not None and seat.job.batches is None:
                    seat.job.batches = deque(batches)
                yield answer
            case FitAdvanced(_, steps) if seat.device in self._growth and seat.running:
                growth, trial_id = self._growth[seat.device], seat.running[0].trial_id
                growth.heard(seat.number, trial_id, steps, time.monotonic())
                yield answer
            case TrialEnded(outcome):
                ended = outcome.record.trial_id
                seat.running = tuple(t for t in seat.running if t.trial_id != ended)
                yield answer
            case _:
                yield answer

    def _lost(self, seat: _Seat, status: Status | None) -> Iterator[Event]:
        """A worker is gone: tell it of the trials it was at, and put another on its seat."""
        job, order = seat.job, seat.order
        how = seat.worker.ending()
        if status is None:
            status = "oom" if seat.worker.memory_ran_out() else "crashed"
        self._seats.remove(seat)
        seat.worker.close()
        if self.stop.asked or job is None:
            return
        crashed = partial(self._crashed, job.unit, status, how)
        yield from map(crashed, seat.running)
        if isinstance(order, OpenUnit):
            yield from self._opening_failed(job, status, how)
        elif job.batches:
            self._hand_back(job)

    def _opening_failed(self, job: _Job, status: Status, how: str) -> Iterator[Event]:
        """Try again; what still keeps a unit from being opened is told by its trials."""
        job.tries += 1
        if job.tries < TRIES:
            if job.tries == TRIES - 1:
                yield FramesFailed(how)
                options = replace(job.unit.options, frames="off")
                job.unit = replace(job.unit, options=options)
            self._hand_back(job)
        elif not any(other.job is job for other in self._seats):
            for trial in job.left():
                yield TrialsStarted((trial,))
                yield self._crashed(job.unit, status, how, trial)

    def _crashed(self, unit: WorkUnit, status: Status, how: str, trial: Trial) -> TrialEnded:
        record = unfinished_record(trial, self.corpora[unit.corpus], unit.suite)
        changes = {"status": status, "error": how}
        return TrialEnded(Outcome(record.model_copy(update=changes)))


def _silent(seat: _Seat) -> bool:
    deadline = seat.deadline()
    return deadline is not None and time.monotonic() >= deadline
