"""Runs units of work as tasks of a Ray cluster: what a lost node was at is done on another."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import ray
from ray.exceptions import (
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayError,
    RayTaskError,
    TaskCancelledError,
)

from harness.errors import DiskSpaceError, UserError
from harness.interruption import StopRequest
from harness.redaction import redacted
from harness.results.records import CostRecord, Status
from harness.runs import ray_tasks
from harness.runs.events import Event, Stopping, TrialEnded, TrialsStarted, UnitReady, WorkerLost
from harness.runs.executors import Corpora, Told
from harness.runs.process_executor import GRACE_S, TRIES
from harness.runs.ray_cluster import Share
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.trial_execution import Outcome, unfinished_record
from harness.runs.work_units import WorkUnit
from harness.specs import CorpusSpec, CostTrial, Suite, Trial

POLL_S = 0.5
"""How often one looks whether it was asked to stop, or a task is silent for too long."""


@dataclass(eq=False)
class _Task:
    """A part of a unit that a node is at, or will be."""

    unit: WorkUnit
    part: int
    workers: int
    """In how many parts the unit is cut, if it has so many batches."""
    stream: Any
    """Of Ray, whose items are references to events."""
    tries: int
    left: tuple[Trial, ...]
    """Of its trials, those without an outcome; at first, all of the unit may be its."""
    ready: bool = False
    running: tuple[Trial, ...] = ()
    lane: int | None = None
    """None until it runs somewhere."""
    heard: float = 0.0
    overdue: bool = False

    def is_silent(self) -> bool:
        """For longer than its trials may take."""
        limits = [trial.training.time_limit_s for trial in self.running]
        known = [limit for limit in limits if limit is not None]
        if not known or len(known) < len(limits):
            return False
        return time.monotonic() - self.heard > sum(known) + GRACE_S


@dataclass(eq=False)
class RayExecutor:
    """Gives each unit to the cluster in as many parts as it has room for workers."""

    share: Share
    corpora: Corpora
    stop: StopRequest
    _tasks: list[_Task] = field(default_factory=list)
    _prepared: dict[CorpusSpec, Any] = field(default_factory=dict)
    """References to corpora that the cluster has."""

    def run(self, units: Sequence[WorkUnit]) -> Iterator[Told]:
        """The events of all units, as they happen.

        Raises:
            DiskSpaceError: there is no room for the frames that are to be kept.
            Interrupted: it was asked to stop, and what was at work has saved what it had.
        """
        stopping = False
        for unit in units:
            on_node = replace(unit.options, device=self.share.device)
            self._submit(replace(unit, options=on_node), unit.trials, self.share.workers)
        try:
            while self._tasks:
                ready = self._ready()
                if self.stop.asked and not stopping:
                    stopping = True
                    yield 0, self._ask_to_stop()
                for task in ready:
                    lane = self._lane(task)
                    for event in self._hear(task):
                        yield lane, event
            self.stop.check()
        finally:
            for task in self._tasks:
                ray.cancel(task.stream, force=True)

    def _submit(
        self,
        unit: WorkUnit,
        trials: tuple[Trial, ...],
        workers: int = 1,
        part: int = 1,
        tries: int = 1,
    ) -> None:
        """Give the cluster a part of a unit, which these trials are if that is known."""
        if unit.corpus not in self._prepared:
            self._prepared[unit.corpus] = ray.put(self.corpora[unit.corpus])
        task: Any = ray.remote(ray_tasks.run_part)
        placed = task.options(
            num_returns="streaming",
            num_cpus=self.share.cpus,
            num_gpus=self.share.gpus,
            max_retries=0,  # what is to be done again is less than the whole
            name=f"{unit.backbone.name} on {unit.corpus.name}",
        )
        prepared = self._prepared[unit.corpus]
        here = ray_tasks.Here(self.share.cpus)
        stream = placed.remote(unit, prepared, here, part, workers)
        self._tasks.append(_Task(unit, part, workers, stream, tries, trials))

    def _ready(self) -> list[_Task]:
        """Those that have something to say; waits a while for the first."""
        of_stream = {task.stream: task for task in self._tasks}
        first, others = ray.wait(list(of_stream), num_returns=1, timeout=POLL_S)
        if first and others:
            first += ray.wait(others, num_returns=len(others), timeout=0)[0]
        for task in self._tasks:
            if task.is_silent() and not task.overdue:
                task.overdue = True
                ray.cancel(task.stream, force=True)
        return [of_stream[stream] for stream in first]

    def _ask_to_stop(self) -> Stopping:
        for task in self._tasks:
            ray.cancel(task.stream)  # it saves what it has
        return Stopping()

    def _lane(self, task: _Task) -> int:
        if task.lane is None:
            taken = {other.lane for other in self._tasks}
            task.lane = next(n for n in range(len(taken) + 1) if n not in taken)
        return task.lane

    def _hear(self, task: _Task) -> Iterator[Event]:
        try:
            event: Event = ray.get(next(task.stream))
        except StopIteration:
            self._tasks.remove(task)
            return
        except RayError as error:
            self._tasks.remove(task)
            ray.cancel(task.stream, force=True)  # were it only what it said that is lost
            yield from self._lost(task, error)
            return
        task.heard = time.monotonic()
        match event:
            case UnitReady(batches):
                self._take_ready(task, batches)
            case TrialsStarted(trials):
                task.running = trials
            case TrialEnded(outcome):
                task.running = _without(task.running, outcome.record.trial_id)
                task.left = _without(task.left, outcome.record.trial_id)
        yield event

    def _take_ready(self, task: _Task, batches: Sequence[tuple[Trial, ...]]) -> None:
        """Its frames are there: whoever has room does the other parts."""
        task.ready = True
        if task.part > 1:
            return
        for part in range(1, min(task.workers, len(batches)) + 1):
            mine = chain.from_iterable(ray_tasks.part_of(batches, part, task.workers))
            if part == 1:
                task.left = tuple(mine)
            else:
                self._submit(task.unit, tuple(mine), task.workers, part)

    def _lost(self, task: _Task, error: RayError) -> Iterator[Event]:
        """A worker is gone, or its node: tell it of the trials it was at, or try them again.

        Raises:
            Exception: what it raised, which is no error of its trials.
        """
        if self.stop.asked:
            return
        if isinstance(error, RayTaskError) and not isinstance(error, TaskCancelledError):
            raise _raised(error) from error
        what = f"silent beyond its limit of time and {GRACE_S:g} s" if task.overdue else str(error)
        how = redacted(f"its worker was lost: {what.strip() or type(error).__name__}")
        status, given_up = _status(task, error), task.running
        if status is None and task.tries < TRIES:
            yield WorkerLost(how)
            self._submit_again(task, task.left, task.tries + 1)
            return
        if status is None:  # whatever it is, it does not pass
            given_up = task.running or task.left
        for trial in given_up:
            if trial not in task.running:
                yield TrialsStarted((trial,))
            yield self._unfinished(task.unit, trial, status or "crashed", how)
        self._submit_again(task, tuple(trial for trial in task.left if trial not in given_up))

    def _submit_again(self, task: _Task, trials: tuple[Trial, ...], tries: int = 1) -> None:
        if trials and task.ready:
            self._submit(replace(task.unit, trials=trials), trials, tries=tries)
        elif trials:
            self._submit(task.unit, trials, task.workers, task.part, tries)

    def _unfinished(self, unit: WorkUnit, trial: Trial, status: Status, how: str) -> TrialEnded:
        record = unfinished_record(trial, self.corpora[unit.corpus], unit.suite)
        return TrialEnded(Outcome(record.model_copy(update={"status": status, "error": how})))


def _status(task: _Task, error: RayError) -> Status | None:
    """How the trials ended that a lost worker was at; None if it was not for them."""
    if task.overdue:
        return "timeout"
    if isinstance(error, NodeDiedError | ObjectLostError) or not task.running:
        return None
    return "oom" if isinstance(error, OutOfMemoryError) else "crashed"


def _raised(error: RayTaskError) -> Exception:
    """What a task raised, which is none of its trials' errors."""
    cause = error.cause
    return DiskSpaceError(str(cause)) if isinstance(cause, DiskSpaceError) else error


def _without(trials: Sequence[Trial], trial_id: str) -> tuple[Trial, ...]:
    return tuple(trial for trial in trials if trial.trial_id != trial_id)


def measure_on_cluster(
    share: Share,
    suite: Suite,
    costs: Sequence[CostTrial],
    options: RuntimeOptions,
    known: Mapping[str, CostRecord],
) -> Iterator[Event]:
    """Measure costs on a node that has nothing else to do; see `measure_costs`.

    Raises:
        UserError: that node was lost.
    """
    task: Any = ray.remote(ray_tasks.measure)
    placed = task.options(
        num_returns="streaming",
        num_cpus=share.node_cpus,
        num_gpus=1 if share.gpus else 0,
        max_retries=0,
    )
    options = replace(options, device=share.device)
    try:
        for event in placed.remote(suite, costs, options, known, ray_tasks.Here(share.node_cpus)):
            yield ray.get(event)
    except RayTaskError:
        raise
    except RayError as error:
        raise UserError(f"the node that measured costs was lost, run again: {error}") from error
