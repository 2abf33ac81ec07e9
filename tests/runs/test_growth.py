"""Workers are added to a device as long as all together do more in a second."""

import pytest

from harness.runs.growth import Growth


def simulated(growth: Growth, rate_of_each: dict[int, float], *, trial_s: float = 1e9) -> Growth:
    """Ten minutes of a device on which n workers take so many steps in a second each."""
    for tick in range(1, 6000):
        now = tick / 10
        each = rate_of_each[growth.allowed]
        for worker in range(growth.allowed):
            trial = f"{worker}-{int(now // trial_s)}"
            growth.heard(worker, trial, round(each), now)
    return growth


@pytest.mark.parametrize(
    ("rate_of_each", "most", "found"),
    [
        ({1: 1000, 2: 1000, 3: 1000, 4: 1000}, 4, 4),  # as if each had a device of its own
        ({1: 1000, 2: 900, 3: 500, 4: 1}, 4, 2),  # the third takes from the others all it does
        ({1: 1000, 2: 500}, 2, 1),
        ({1: 1000, 2: 540}, 2, 2),
        ({1: 1000}, 1, 1),
    ],
)
def test_it_grows_while_all_together_do_more(
    rate_of_each: dict[int, float], most: int, found: int
) -> None:
    assert simulated(Growth(most), rate_of_each).allowed == found


def test_where_trials_are_too_short_to_be_watched_there_are_as_many_as_there_is_room_for() -> None:
    assert simulated(Growth(4), dict.fromkeys(range(1, 5), 100.0), trial_s=5.0).allowed == 4
