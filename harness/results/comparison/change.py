"""One figure before and after."""

from __future__ import annotations

from dataclasses import dataclass

from harness.results.inference.score_intervals import Interval


@dataclass(frozen=True)
class Change:
    """A figure of a group of trials, or of a cost, in BASE and in HEAD."""

    what: str
    figure: str
    base: float
    head: float
    real: bool | None
    """Whether it is more than noise; None where the noise is not known."""
    noise: str
    """What `real` rests on, for people."""
    interval: Interval | None = None
    """Where the difference lies: with noise, as sure as 95 %; of what is counted, or measured once,
    the difference itself; None where nobody can tell."""

    @property
    def difference(self) -> float:
        """HEAD minus BASE."""
        return self.head - self.base

    @property
    def relative(self) -> float | None:
        """The difference as a share of BASE; None where BASE is 0.

        >>> Change("wavlm-base", "uar", 0.5, 0.6, None, "").relative
        0.19999999999999996
        """
        return self.head / self.base - 1 if self.base else None
