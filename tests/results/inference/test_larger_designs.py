"""How many more speakers or seeds it would take."""

import numpy as np
import pytest
from made_predictions import all_said
from statsmodels.stats.power import TTestPower

from harness.results.inference.delete_one import DeleteOne, delete_one
from harness.results.inference.difference_tests import paired_difference
from harness.results.inference.larger_designs import larger_design
from harness.tasks import TASKS


def accuracy(*seeds: list[int]) -> DeleteOne:
    frames = [all_said(right, of=20) for right in seeds]
    return delete_one([frames], TASKS["classification"])["accuracy"]


def test_it_is_as_many_speakers_as_the_power_of_the_t_test_asks_for() -> None:
    one, other = [12, 9, 14, 10, 13, 8], [10, 10, 12, 11, 11, 6]
    found = larger_design(paired_difference(accuracy(one), accuracy(other)), seeds=1)
    gaps = (np.array(one) - np.array(other)) / 20
    needed = TTestPower().solve_power(gaps.mean() / gaps.std(ddof=1), alpha=0.05, power=0.8)
    assert found.speakers == pytest.approx(np.ceil(needed), abs=1)
    assert found.seeds is None


def test_seeds_help_where_training_is_what_scatters() -> None:
    seeds = [[16, 17, 15, 16, 17, 15], [10, 11, 9, 10, 12, 9], [14, 15, 13, 14, 15, 12]]
    other = [[12, 12, 11, 11, 13, 10]] * 3
    found = larger_design(paired_difference(accuracy(*seeds), accuracy(*other)), seeds=3)
    assert found.seeds is not None
    assert 3 < found.seeds < 1000


def test_no_number_tells_equal_rows_apart() -> None:
    one = accuracy([12, 9, 14], [12, 9, 14])
    found = larger_design(paired_difference(one, one), seeds=2)
    assert (found.speakers, found.seeds) == (None, None)
