"""Whether one row is better than another on the same test utterances."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np
from statsmodels.stats.power import TTestPower

from harness.results.inference.delete_one import DeleteOne, difference
from harness.results.inference.score_intervals import Interval
from harness.results.inference.squared_errors import (
    SquaredError,
    chance,
    of_speakers,
    of_training,
    reach,
)
from harness.tasks.task import Floats

EXACT_SPEAKERS = 12
"""Up to so many speakers all flips of signs are counted: 2¹² of them."""
POWER = 0.8
LEVEL = 0.05


@dataclass(frozen=True)
class PairedDifference:
    """One score minus another, and what is known of it."""

    difference: float
    interval: Interval
    """95 %, for this difference alone."""
    p: float
    """Two-sided, of the jackknife's t, for this difference alone."""
    retrained: bool
    """Whether both rows have two seeds in some fold; else training's noise is in neither."""
    errors: tuple[SquaredError, ...]
    """Of speakers, and of training where it is seen."""
    of_speakers: Floats = field(compare=False, repr=False)
    """What each speaker adds to the difference, (K,)."""

    @property
    def speakers(self) -> int:
        """K."""
        return len(self.of_speakers)

    @property
    def effect(self) -> float | None:
        """The mean over speakers of their differences by its deviation; None where all are equal.

        Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988, as d of pairs.
        """
        deviation = float(np.std(self.of_speakers, ddof=1))
        return float(np.mean(self.of_speakers)) / deviation if deviation > _NOTHING else None

    @cached_property
    def sign_flip_p(self) -> float | None:
        """Exact, two-sided, of all flips of speakers' signs; None for too many to count them.

        Fisher, "The Design of Experiments", 1935.
        """
        if self.speakers > EXACT_SPEAKERS:
            return None
        flips = (np.arange(2**self.speakers)[:, None] >> np.arange(self.speakers)) & 1
        sums = np.abs((1 - 2 * flips) @ self.of_speakers)
        # rounding must not part ties, as SciPy's permutation_test lets it
        room = 1e-9 * np.abs(self.of_speakers).sum()
        return float(np.mean(sums >= abs(self.of_speakers.sum()) - room))

    @property
    def smallest_sign_flip_p(self) -> float:
        """What so many speakers allow at best."""
        return float(2.0 ** (1 - self.speakers))

    @property
    def detectable(self) -> float:
        """The smallest difference that this design would find in four of five times."""
        deviation = (sum(error.value for error in self.errors) * self.speakers) ** 0.5
        return float(deviation * _detectable_effect(self.speakers))

    def within(self, margin: float) -> bool:
        """Whether it is smaller than a margin, as sure as 95 %: two one-sided tests.

        Schuirmann, "A comparison of the two one-sided tests procedure and the power approach",
        1987.
        """
        return abs(self.difference) + reach(self.errors, 1 - 2 * LEVEL) < margin


def paired_difference(one: DeleteOne, other: DeleteOne) -> PairedDifference:
    """One minus the other.

    Speakers are paired; so are seeds, where folds have as many on both sides.

    Raises:
        ValueError: they were tested on other utterances.
    """
    if one.tested != other.tested or one.speakers != other.speakers:
        raise ValueError("scores of other test utterances cannot be set side by side")
    gap, without = one.whole - other.whole, one.without - other.without
    errors = (of_speakers(without, one.degrees), *_training_errors(one, other))
    room = reach(errors, 1 - LEVEL)
    values = _pseudo_values(gap, without)
    # speakers that all differ alike leave no error to divide by: their number alone speaks
    known = room > _NOTHING or abs(gap) < _NOTHING
    return PairedDifference(
        difference=gap,
        interval=Interval(gap - room, gap + room),
        p=chance(gap, errors) if known else 2.0 ** (1 - len(values)),
        retrained=one.retrained and other.retrained,
        of_speakers=values,
        errors=errors,
    )


_NOTHING = 1e-12


def _pseudo_values(whole: float, without: Floats) -> Floats:
    """What each speaker adds to a score: K · θ - (K - 1) · θ_(-k), (K,)."""
    count = len(without)
    return count * whole - (count - 1) * without


def _training_errors(one: DeleteOne, other: DeleteOne) -> list[SquaredError]:
    if one.seeds == other.seeds:
        found = [of_training(difference(one, other), sparing=False)]
    else:
        found = [of_training(score, sparing=False) for score in (one, other)]
    return [error for error in found if error is not None]


@cache
def _detectable_effect(speakers: int) -> float:
    """The effect that Student's paired test of so many speakers finds in four of five times."""
    return float(TTestPower().solve_power(nobs=speakers, alpha=LEVEL, power=POWER))
