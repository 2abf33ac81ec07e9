"""Shows the events of a run on a reporter: notes that stay, and bars that move."""

from __future__ import annotations

from dataclasses import dataclass

from harness.config.choose import combinations
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
    TrialEnded,
    TrialsStarted,
)
from harness.runs.frame_events import FramesAdvanced, FramesEnded, FramesStarted
from harness.specs import Trial
from harness.tasks import TASKS
from harness.training.fit_driver import EpochEnded, EpochResult, FitEvent


@dataclass
class ProgressDisplay:
    """Of one run, whose trials are numbered from 1 to `total`."""

    reporter: Reporter
    total: int
    _begun: int = 0
    """Trials that have begun, or were finished before."""
    _side_by_side: int = 1
    _steps_shown: bool = False
    _scores: str = ""

    def begin(self) -> None:
        """Show a bar of all trials."""
        self.reporter.begin("trials", self.total)

    def skip(self) -> None:
        """Pass over a trial that was finished before."""
        self._begun += 1
        self.reporter.advance()

    def show(self, event: Event) -> None:
        """Show what an event says, if it is for people."""
        match event:
            case FramesStarted() | FramesAdvanced() | FramesEnded() | FramesFailed():
                self._show_frames(event)
            case TrialsStarted(trials):
                self._number(trials)
            case FitAdvanced(progress):
                self._show_fit(progress)
            case TrialEnded(outcome):
                self.end_steps()
                self.reporter.note(f"    {outcome_line(outcome.record)}")
                self.reporter.advance()
            case CostsStarted() | CostStarted() | CostMeasured() | CostAdvanced():
                self._show_cost(event)
            case _:
                pass  # where units of work begin and end is of no interest to people

    def end(self) -> None:
        """Take away the bar of trials, and what an interruption left under it."""
        self.end_steps()
        self.reporter.end()

    def end_steps(self) -> None:
        """Take away the bar of optimiser steps."""
        if self._steps_shown:
            self.reporter.end()
        self._steps_shown, self._scores = False, ""

    def _number(self, trials: tuple[Trial, ...]) -> None:
        self._side_by_side = sum(map(combinations, trials))
        for trial in trials:
            self._begun += 1
            self.reporter.note(f"[{self._begun}/{self.total}] {trial.describe()}")

    def _show_frames(
        self, event: FramesStarted | FramesAdvanced | FramesEnded | FramesFailed
    ) -> None:
        match event:
            case FramesStarted(backbone, utterances, depths, size_bytes, batches):
                size = f"{size_bytes / 1e9:.2f} GB"
                self.reporter.note(
                    f"frames of {utterances} utterances from {backbone}, {depths} depths, {size}"
                )
                self.reporter.begin("  frames", batches)
            case FramesAdvanced():
                self.reporter.advance()
            case FramesEnded():
                self.reporter.end()
            case FramesFailed(reason):
                self.reporter.note(f"    frames were not kept: {reason}")

    def _show_fit(self, progress: FitEvent) -> None:
        """One bar of steps for all fits that run at once, the latest scores beside it."""
        if isinstance(progress, EpochEnded):
            self._scores = epoch_line(progress.result)
            return
        if not self._steps_shown:
            self.reporter.begin("  steps", progress.total * self._side_by_side)
            self._steps_shown = True
        self.reporter.advance(self._scores)

    def _show_cost(self, event: CostEvent) -> None:
        match event:
            case CostsStarted(measurements):
                self.reporter.begin("costs", measurements)
            case CostStarted(trial, number, rounds):
                self.reporter.note(f"cost of {trial.describe()}, round {number} of {rounds}")
            case CostMeasured(latest, _):
                if latest.status != "ok":
                    self.reporter.note(f"    {latest.status}: {error_line(latest)}")
            case CostAdvanced():
                self.reporter.advance()


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
