"""How much more would have to be tested to tell two rows apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scipy.stats import nct
from scipy.stats import t as student

from harness.results.inference.difference_tests import LEVEL, POWER, PairedDifference

MOST = 10_000


@dataclass(frozen=True)
class LargerDesign:
    """What would find a difference as large as was seen in four of five times."""

    speakers: int | None
    """As many in all, at the same seeds; None if not even ten thousand would."""
    seeds: int | None
    """As many of each fold, on the same speakers; None if no number of them would, or if nothing is
    known of training's noise."""


def larger_design(test: PairedDifference, seeds: int) -> LargerDesign:
    """The smallest that would do, in speakers alone or in seeds alone.

    Args:
        test: of the two rows
        seeds: of each fold, today
    """
    of_speakers, *training = test.errors
    noise = sum(error.value for error in training)

    def found(speakers: float, more_seeds: float) -> bool:
        error = of_speakers.value * test.speakers / speakers + noise * seeds / more_seeds
        return _power(abs(test.difference), error, speakers - 1) >= POWER

    return LargerDesign(
        speakers=_smallest(lambda count: found(count, seeds), test.speakers),
        seeds=_smallest(lambda count: found(test.speakers, count), seeds) if training else None,
    )


def _power(difference: float, squared_error: float, degrees: float) -> float:
    if squared_error == 0:
        return 1.0 if difference else 0.0
    edge = student.ppf(1 - LEVEL / 2, degrees)
    return float(nct.sf(edge, degrees, difference / squared_error**0.5))


def _smallest(holds: Callable[[int], bool], least: int) -> int | None:
    """The smallest number from `least` on that does, by halving; None above `MOST`."""
    low, high = least, max(least, MOST)
    if not holds(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
