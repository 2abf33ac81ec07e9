"""Progress of the fits that run at once: one stretch of steps, the latest scores beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.progress import Reporter
from harness.training.fit import EpochResult, FitCallbacks


@dataclass
class _Steps:
    reporter: Reporter
    fits: int
    begun: bool = False
    scores: str = ""

    def step(self, done: int, total: int) -> None:
        if not self.begun:
            self.reporter.begin("  steps", total * self.fits)
            self.begun = True
        self.reporter.advance(self.scores)

    def epoch(self, point: EpochResult) -> None:
        self.scores = (
            f"epoch {point.epoch}: train loss {point.train_loss:.3f}, "
            f"dev loss {point.dev_loss:.3f}, dev score {point.dev_metric:.3f}"
        )


@contextmanager
def watching(reporter: Reporter, fits: int) -> Iterator[FitCallbacks]:
    """Tell `reporter` of every step of so many fits."""
    steps = _Steps(reporter, fits)
    try:
        yield FitCallbacks(steps.step, steps.epoch)
    finally:
        if steps.begun:
            reporter.end()
