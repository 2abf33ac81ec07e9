"""What a run was expected to take beside what it took, kept in `estimate.json`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.cache.frame_store import FRAMES
from harness.files import cache_folder
from harness.profiling.estimation.estimate_text import comparison, estimate_line, to_json, total_of
from harness.profiling.estimation.forecast import Amount
from harness.profiling.estimation.suite_estimate import Estimate, Group, estimate
from harness.progress import Reporter
from harness.runs.runtime_options import RuntimeOptions
from harness.training.devices import machine_name, make_accelerator


@dataclass
class Truth:
    """Grows by one corpus × backbone after another, in the order of the estimates."""

    estimates: list[Estimate]
    """Empty if none could be made."""
    machine: str
    write: Callable[[str], None]
    """Keeps the file."""
    taken: list[Amount] = field(default_factory=list)

    def add(self, amount: Amount) -> None:
        """Note what the next corpus × backbone took."""
        self.taken.append(amount)
        self.write(to_json(self.estimates, self.taken, self.machine))

    def line(self) -> str:
        """Estimate and truth side by side."""
        taken = sum(self.taken, Amount())
        return comparison(total_of(self.estimates) if self.estimates else None, taken)


def expect(
    groups: Sequence[Group],
    machine: RuntimeOptions,
    write: Callable[[str], None],
    reporter: Reporter,
) -> Truth:
    """Estimate a run that is about to start. No failure to do so stops it."""
    estimates: list[Estimate] = []
    try:
        estimates = estimate(groups, machine.device, machine.frames)
        reporter.note(f"estimated: {estimate_line(total_of(estimates))}")
    except Exception as error:
        reporter.note(f"no estimate: {type(error).__name__}: {error}")
    return Truth(estimates, machine_name(make_accelerator(machine.device, "auto").device), write)


def extracting(work: Callable[[], None]) -> Amount:
    """Do some work: the time it takes, and the frames that it leaves behind."""
    before, started = _kept_frames(), time.monotonic()
    work()
    wall_s, after = time.monotonic() - started, _kept_frames()
    return Amount(wall_s, frames_bytes=sum(after[path] for path in after.keys() - before.keys()))


def _kept_frames() -> dict[Path, int]:
    return {path: path.stat().st_size for path in cache_folder("frames").glob(f"*/*/{FRAMES}")}
