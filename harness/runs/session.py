"""A session: a unit of work, done from loading its backbone to its last trial."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from backbones.cards import FOREIGN_ERRORS
from harness.cache.frame_store import FRAMES
from harness.data.prepared_corpus import PreparedCorpus
from harness.errors import DiskSpaceError
from harness.files import cache_folder
from harness.interruption import NEVER, StopRequest
from harness.profiling.estimation.forecast import Amount
from harness.redaction import redacted
from harness.runs.backbone_frames import BackboneFrames
from harness.runs.events import (
    Event,
    FitAdvanced,
    FramesFailed,
    TrialEnded,
    TrialsStarted,
    UnitEnded,
    UnitReady,
    UnitStarted,
)
from harness.runs.side_by_side import side_by_side_batches
from harness.runs.trial_execution import Outcome, Saving, run_trials
from harness.runs.work_units import WorkUnit
from harness.specs import Trial
from harness.training.devices import make_accelerator


class Session:
    """Loads a unit's backbone and opens its frames once, and runs its trials on them.

    It writes no results: what happens is told by its events. Nothing happens but what is asked
    for by taking the next one.
    """

    def __init__(self, unit: WorkUnit, prepared: PreparedCorpus, stop: StopRequest = NEVER) -> None:
        self.unit = unit
        self.frames = BackboneFrames(prepared, unit.options)
        self._saving = Saving(unit.results, stop)
        self._extraction_s = self._training_s = 0.0
        self._written_bytes = 0

    def run(self) -> Iterator[Event]:
        """Do all of the unit's trials.

        Raises:
            DiskSpaceError: there is no room for the frames that are to be kept.
            Interrupted: it was asked to stop, and has saved what it had.
        """
        ready = yield from self.open()
        for batch in ready.batches:
            yield from self.fit(batch)
        yield self.end()

    def open(self) -> Generator[Event, None, UnitReady]:
        """Have the frames of all trials ready.

        Raises:
            DiskSpaceError: there is no room for the frames that are to be kept.
            Interrupted: it was asked to stop.
        """
        yield UnitStarted(self.unit)
        before, started = _kept_frames(), time.monotonic()
        for event in self._compute_frames():
            yield event
            self._saving.stop.check()
        after = _kept_frames()
        self._extraction_s = time.monotonic() - started
        self._written_bytes = sum(after[path] for path in after.keys() - before.keys())
        device = make_accelerator(self.unit.options.device, "auto").device
        batches = side_by_side_batches(self.unit.trials, device.type, self.frames.keeps)
        ready = UnitReady(tuple(map(tuple, batches)))
        yield ready
        return ready

    def fit(self, batch: Sequence[Trial]) -> Iterator[Event]:
        """Train and score a trial, or several side by side.

        Raises:
            Interrupted: it was asked to stop, and they have saved what they had.
        """
        self._saving.stop.check()
        yield TrialsStarted(tuple(batch))
        outcomes = yield from self._run_trials(batch)
        for outcome in outcomes:
            self._training_s += outcome.record.wall_s
            yield TrialEnded(outcome)

    def end(self) -> UnitEnded:
        """What it took."""
        taken = Amount(self._extraction_s, self._training_s, self._written_bytes)
        return UnitEnded(self.unit, taken)

    def _compute_frames(self) -> Iterator[Event]:
        """What keeps a backbone from running is told by its trials."""
        try:
            yield from self.frames.compute(self.unit.trials)
        except DiskSpaceError:
            raise
        except FOREIGN_ERRORS as error:
            yield FramesFailed(redacted(f"{type(error).__name__}: {error}"))
            self.frames.options = replace(self.frames.options, frames="off")

    def _run_trials(self, batch: Sequence[Trial]) -> Generator[Event, None, list[Outcome]]:
        running = run_trials(batch, self.frames, suite=self.unit.suite, saving=self._saving)
        while True:
            try:
                yield FitAdvanced(next(running))
            except StopIteration as end:
                outcomes: list[Outcome] = end.value
                return outcomes


def _kept_frames() -> dict[Path, int]:
    return {path: path.stat().st_size for path in cache_folder("frames").glob(f"*/*/{FRAMES}")}
