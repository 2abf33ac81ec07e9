"""How many workers pay on a device: one more as long as all together do more in a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

WINDOW_S = 20.0
PATIENCE = 3
"""For how many windows it waits for trials that last as long as one."""
PAYS = 1.05
"""What one worker more must make of the speed of all."""


@dataclass
class _Watched:
    """What a worker did in the window, if it was at one and the same trial."""

    trial: str
    since: float
    steps: int = 0


@dataclass
class Growth:
    """Of one device: it begins with one worker, and is told of every step.

    Trials differ too much to be compared, so each worker is held against itself, at the same trial
    before and after the last worker came. Where trials are too short for that, workers are added
    as long as there is room.
    """

    most: int
    """For how many there is room."""
    window_s: float = WINDOW_S
    allowed: int = 1
    """How many may work now."""
    _settled: bool = False
    _since: float | None = None
    """When it was last decided."""
    _workers: dict[int, _Watched] = field(default_factory=dict)
    _before: Mapping[tuple[int, str], float] | None = None
    """Steps in a second by worker and trial, while there was one worker less."""

    def heard(self, worker: int, trial: str, steps: int, now: float) -> None:
        """A worker took steps of a trial; times are of the monotonic clock."""
        watched = self._workers.get(worker)
        if watched is None or watched.trial != trial:
            # what led to the first step of a trial is not known
            self._workers[worker] = _Watched(trial, now)
        else:
            watched.steps += steps
        if not self._settled:
            self._look(now)

    def _look(self, now: float) -> None:
        """Once all that may work were watched for long enough, decide about one more."""
        rates = {
            (worker, watched.trial): watched.steps / (now - watched.since)
            for worker, watched in self._workers.items()
            if now - watched.since >= self.window_s
        }
        self._since = now if self._since is None else self._since
        if len(rates) < self.allowed and now - self._since < PATIENCE * self.window_s:
            return
        if self._before is not None and not self._pays(self._before, rates):
            self.allowed -= 1
            self._settled = True
        elif self.allowed >= self.most:
            self._settled = True
        else:
            self.allowed += 1
        self._before, self._since = rates, now
        self._workers = {
            worker: _Watched(watched.trial, now) for worker, watched in self._workers.items()
        }

    def _pays(
        self, before: Mapping[tuple[int, str], float], now: Mapping[tuple[int, str], float]
    ) -> bool:
        kept = [now[key] / before[key] for key in now.keys() & before.keys() if before[key]]
        if not kept:
            return True
        fewer = self.allowed - 1
        return self.allowed * sum(kept) / len(kept) > PAYS * fewer
