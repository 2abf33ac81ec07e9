"""The one place that writes records, models, trackers' messages and progress during a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.results.records import CostRecord, Record
from harness.results.store import MODEL, ResultsStore
from harness.runs.events import CostMeasured, Event, TrialEnded, UnitEnded
from harness.runs.model_retention import (
    beaten_rivals,
    note_beaten,
    remove_beaten,
    save_model,
)
from harness.runs.progress_display import ProgressDisplay
from harness.runs.run_summary import RunSummary
from harness.runs.tracking.publishing import CostKnown, TrialRecorded
from harness.runs.tracking.tracker_processes import Tracking
from harness.runs.trial_execution import Outcome
from harness.specs import CostTrial, Suite


@dataclass(frozen=True)
class ResultsSink:
    """Takes in the events of a run, whoever sends them, and keeps its summary up to date."""

    suite: Suite
    store: ResultsStore
    display: ProgressDisplay
    tracking: Tracking
    summary: RunSummary

    def handle(self, event: Event, worker: int = 0) -> None:
        """Write what an event brings, then show it, then tell trackers."""
        written: Record | None = None
        with self.store.writing():
            match event:
                case TrialEnded(outcome):
                    written = self._write(outcome)
                case UnitEnded(unit, taken) if self.summary.timings:
                    self.summary.timings.add(unit.corpus.name, unit.backbone.name, taken)
                case CostMeasured(_, joined):
                    self.store.write_cost(joined)
        self.display.show(event, worker)
        if written is not None:
            self._count(written)

    def add_finished(self, record: Record) -> None:
        """Count a trial that was finished before this run."""
        self.display.skip()
        self._count(record)

    def add_costs(self, costs: Iterable[CostRecord], measured: int) -> None:
        """Count all costs, and tell trackers, at every trial, what its backbone costs.

        Args:
            costs: those of the run
            measured: how many of them were measured now
        """
        self.summary.costs, self.summary.measured = list(costs), measured
        if self.suite.cost is None:
            return
        known = {cost.trial: cost for cost in self.summary.costs if cost.status == "ok"}
        for record in self.summary.records:
            cost = known.get(CostTrial.of(record.trial, self.suite.cost))
            if cost is not None:
                self.tracking.tell(CostKnown(record, cost))

    def _count(self, record: Record) -> None:
        self.summary.records.append(record)
        self.tracking.tell(TrialRecorded(record))  # a tracker that knows it already passes it over

    def _write(self, outcome: Outcome) -> Record:
        """The model first, the record after it, beaten models last: a crash leaves no gap."""
        record, rivals = outcome.record, None
        if outcome.trained_state is not None:
            rivals = beaten_rivals(self.store, record, self.suite.keep_models)
        if rivals is None:  # a run that was killed may have left one
            (self.store.trial(record.trial_id) / MODEL).unlink(missing_ok=True)
        elif outcome.trained_state is not None:
            save_model(self.store, record.trial_id, outcome.trained_state)
        if rivals:
            note_beaten(self.store, record.trial_id, rivals)
        written = self.store.write_trial(record, outcome.predictions)
        if rivals:
            remove_beaten(self.store, rivals)
        return written
