"""A session: one unit of work, done from loading its backbone to its last trial."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

from backbones.cards import FOREIGN_ERRORS
from harness.cache.frame_store import FRAMES
from harness.data.prepared_corpus import PreparedCorpus
from harness.errors import DiskSpaceError
from harness.files import cache_folder
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
    UnitStarted,
)
from harness.runs.side_by_side import side_by_side_batches
from harness.runs.trial_execution import Outcome, run_trials
from harness.runs.work_units import WorkUnit
from harness.specs import Trial
from harness.training.devices import make_accelerator


class Session:
    """Loads a unit's backbone and opens its frames once, and runs its trials on them.

    It writes no results: what happens is told by its events.
    """

    def __init__(self, unit: WorkUnit, prepared: PreparedCorpus) -> None:
        self.unit = unit
        self.frames = BackboneFrames(prepared, unit.options)

    def run(self) -> Iterator[Event]:
        """Do all of the unit's trials; nothing happens but what the events ask for.

        Raises:
            DiskSpaceError: there is no room for the frames that are to be kept.
        """
        yield UnitStarted(self.unit)
        before, started = _kept_frames(), time.monotonic()
        yield from self._compute_frames()
        extraction_s, after = time.monotonic() - started, _kept_frames()
        written_bytes = sum(after[path] for path in after.keys() - before.keys())
        device = make_accelerator(self.unit.options.device, "auto").device
        training_s = 0.0
        for batch in side_by_side_batches(self.unit.trials, device.type, self.frames.keeps):
            for outcome in (yield from self._fit(batch)):
                training_s += outcome.record.wall_s
                yield TrialEnded(outcome)
        yield UnitEnded(self.unit, Amount(extraction_s, training_s, written_bytes))

    def _compute_frames(self) -> Iterator[Event]:
        """Have the frames ready; what keeps a backbone from running is told by its trials."""
        try:
            yield from self.frames.compute(self.unit.trials)
        except DiskSpaceError:
            raise
        except FOREIGN_ERRORS as error:
            yield FramesFailed(redacted(f"{type(error).__name__}: {error}"))
            self.frames.options = replace(self.frames.options, frames="off")

    def _fit(self, batch: list[Trial]) -> Generator[Event, None, list[Outcome]]:
        yield TrialsStarted(tuple(batch))
        running = run_trials(batch, self.frames, suite=self.unit.suite)
        while True:
            try:
                yield FitAdvanced(next(running))
            except StopIteration as end:
                outcomes: list[Outcome] = end.value
                return outcomes


def _kept_frames() -> dict[Path, int]:
    return {path: path.stat().st_size for path in cache_folder("frames").glob(f"*/*/{FRAMES}")}
