"""Shows the events of a run on a reporter: notes that stay, and bars that move."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.config.choose import combinations
from harness.config.trial_names import PLAIN_NAMES, TrialNames
from harness.progress import Reporter
from harness.results.failures import error_line
from harness.results.records import Record
from harness.runs.events import (
    CostAdvanced,
    CostEvent,
    CostMeasured,
    CostsStarted,
    CostStarted,
    Event,
    FitAdvanced,
    FramesFailed,
    Stopping,
    TrialEnded,
    TrialsStarted,
    WorkerLost,
)
from harness.runs.frame_events import FramesAdvanced, FramesEnded, FramesStarted
from harness.specs import Trial
from harness.tasks import TASKS
from harness.training.fit_driver import EpochEnded, EpochResult


@dataclass
class _Lane:
    """What one worker is at."""

    bar: int | None = None
    side_by_side: int = 1
    scores: str = ""


@dataclass
class ProgressDisplay:
    """Of one run, whose trials are numbered from 1 to `total`; each worker has a bar."""

    reporter: Reporter
    total: int
    names: TrialNames = PLAIN_NAMES
    """What they are called."""
    _skipped: int = 0
    """Trials that were finished before."""
    _numbers: dict[str, int] = field(default_factory=dict)
    """Of trials that have begun, by their ids; one may begin again."""
    _trials: int | None = None
    _costs: int | None = None
    _lanes: dict[int, _Lane] = field(default_factory=dict)

    def begin(self) -> None:
        """Show a bar of all trials."""
        self._trials = self.reporter.begin("trials", self.total)

    def skip(self) -> None:
        """Pass over a trial that was finished before."""
        self._skipped += 1
        self._advance(self._trials)

    def show(self, event: Event, worker: int = 0) -> None:
        """Show what an event of a worker says, if it is for people."""
        lane = self._lanes.setdefault(worker, _Lane())
        match event:
            case FramesStarted() | FramesAdvanced() | FramesEnded() | FramesFailed():
                self._show_frames(event, lane)
            case TrialsStarted(trials):
                self._number(trials, lane)
            case FitAdvanced():
                self._show_fit(event, lane)
            case TrialEnded(outcome):
                self._end_bar(lane)
                self.reporter.note(f"    {outcome_line(outcome.record)}")
                self._advance(self._trials)
            case WorkerLost(reason):
                self._end_bar(lane)
                self.reporter.note(f"    {reason}; what it was at is run again")
            case Stopping():
                self.reporter.note("saving what is at work, to stop; a second time stops at once")
            case CostsStarted() | CostStarted() | CostMeasured() | CostAdvanced():
                self._show_cost(event)
            case _:
                pass  # where units of work begin and end is of no interest to people

    def end(self) -> None:
        """Take away all bars."""
        for lane in self._lanes.values():
            self._end_bar(lane)
        for bar in (self._costs, self._trials):
            if bar is not None:
                self.reporter.end(bar)
        self._costs = self._trials = None

    def _advance(self, bar: int | None, detail: str = "", steps: int = 1) -> None:
        if bar is not None:
            self.reporter.advance(bar, detail, steps)

    def _end_bar(self, lane: _Lane) -> None:
        if lane.bar is not None:
            self.reporter.end(lane.bar)
        lane.bar, lane.scores = None, ""

    def _number(self, trials: tuple[Trial, ...], lane: _Lane) -> None:
        lane.side_by_side = sum(map(combinations, trials))
        for trial in trials:
            next_one = self._skipped + len(self._numbers) + 1
            number = self._numbers.setdefault(trial.trial_id, next_one)
            self.reporter.note(f"[{number}/{self.total}] {self.names.of(trial)}")

    def _show_frames(
        self, event: FramesStarted | FramesAdvanced | FramesEnded | FramesFailed, lane: _Lane
    ) -> None:
        match event:
            case FramesStarted(backbone, utterances, depths, size_bytes, batches):
                size = f"{size_bytes / 1e9:.2f} GB"
                self.reporter.note(
                    f"frames of {utterances} utterances from {backbone}, {depths} depths, {size}"
                )
                self._end_bar(lane)
                lane.bar = self.reporter.begin("  frames", batches)
            case FramesAdvanced():
                self._advance(lane.bar)
            case FramesEnded():
                self._end_bar(lane)
            case FramesFailed(reason):
                self._end_bar(lane)
                self.reporter.note(f"    frames were not kept: {reason}")

    def _show_fit(self, event: FitAdvanced, lane: _Lane) -> None:
        """One bar of steps for all fits that a worker runs at once, the latest scores beside it."""
        progress = event.progress
        if isinstance(progress, EpochEnded):
            lane.scores = epoch_line(progress.result)
            return
        if lane.bar is None:
            lane.bar = self.reporter.begin("  steps", progress.total * lane.side_by_side)
        self._advance(lane.bar, lane.scores, event.steps)

    def _show_cost(self, event: CostEvent) -> None:
        match event:
            case CostsStarted(measurements):
                self._costs = self.reporter.begin("costs", measurements)
            case CostStarted(trial, number, rounds):
                self.reporter.note(f"cost of {trial.describe()}, round {number} of {rounds}")
            case CostMeasured(latest, _):
                if latest.status != "ok":
                    self.reporter.note(f"    {latest.status}: {error_line(latest)}")
            case CostAdvanced():
                self._advance(self._costs)


def epoch_line(result: EpochResult) -> str:
    """How an epoch ended, in a line."""
    return (
        f"epoch {result.epoch}: train loss {result.train_loss:.3f}, "
        f"dev loss {result.dev_loss:.3f}, dev score {result.dev_metric:.3f}"
    )


def outcome_line(record: Record) -> str:
    """How a trial ended, in a line."""
    if record.status != "ok":
        return f"{record.status}: {error_line(record)}"
    card, test = TASKS[record.trial.task], record.metrics["test"]
    headline_first = sorted(card.metrics, key=lambda metric: metric.name != card.headline)
    values = ((metric.title, test.value(metric.name)) for metric in headline_first)
    scores = ", ".join(f"{title} {value:.3f}" for title, value in values if value is not None)
    return f"test {scores} in {record.wall_s:.0f} s"
