"""Squared errors are those of textbooks where textbooks speak of the case."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_predictions import all_said, said_right
from scipy.stats import sem
from scipy.stats import t as student

from harness.results.inference.delete_one import delete_one
from harness.results.inference.squared_errors import (
    SquaredError,
    chance,
    of_speakers,
    of_training,
    reach,
)
from harness.tasks import TASKS

TASK = TASKS["classification"]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_of_a_mean_the_jackknife_is_the_standard_error(values: list[float]) -> None:
    without = [np.mean(values[:k] + values[k + 1 :]) for k in range(len(values))]
    found = of_speakers(np.array(without), len(values) - 1)
    assert found.value == pytest.approx(sem(values) ** 2, abs=1e-12)
    assert found.degrees == len(values) - 1


def test_the_variance_between_seeds_is_pooled_over_folds() -> None:
    """Each seed has the same share of every speaker right, so that answers add nothing."""
    first = [all_said([2, 2], of=8), all_said([4, 4], of=8)]
    second = [all_said([3, 3], of=8), all_said([7, 7], of=8)]
    for frame in second:
        frame["speaker"] += "2"
    score = delete_one([first, second], TASK)["accuracy"]
    found = of_training(score, sparing=True)
    assert found is not None
    pooled = (np.var([0.25, 0.5], ddof=1) + np.var([0.375, 0.875], ddof=1)) / 2
    seen = 2 * (1 - 2 * 0.5**2) / 3  # of two folds of two speakers each
    assert found.value == pytest.approx(pooled / (2 * 2) * (1 - seen))
    assert found.degrees == 2


def test_one_seed_says_nothing_of_training() -> None:
    score = delete_one([[all_said([2, 3], of=8)]], TASK)["accuracy"]
    assert of_training(score, sparing=True) is None
    assert of_training(score, sparing=False) is None


def test_folds_of_one_speaker_each_show_the_noise_of_training_already() -> None:
    folds = [[said_right(name, n, 8 - n), said_right(name, n + 2, 6 - n)] for name, n in
             (("a", 1), ("b", 3), ("c", 5))]  # fmt: skip
    found = of_training(delete_one(folds, TASK)["accuracy"], sparing=False)
    assert found is not None
    assert found.value == pytest.approx(0)


def test_what_answers_make_from_seed_to_seed_is_not_the_noise_of_training() -> None:
    """One seed knows a and not b, the other b and not a: as many are right in both."""
    seeds = [all_said([8, 0], of=8), all_said([0, 8], of=8), all_said([4, 5], of=8)]
    score = delete_one([seeds], TASK)["accuracy"]
    spared, whole = (of_training(score, sparing=sparing) for sparing in (True, False))
    assert spared is not None
    assert whole is not None
    assert spared.value == 0 < whole.value


@given(st.floats(0.001, 10), st.integers(1, 50), st.floats(0.001, 5))
def test_of_one_part_interval_and_p_are_students(value: float, degrees: int, far: float) -> None:
    error = [SquaredError(value, degrees)]
    assert reach(error, 0.95) == pytest.approx(student.ppf(0.975, degrees) * value**0.5)
    expected = 2 * student.sf(far / value**0.5, degrees)
    assert chance(far, error) == pytest.approx(max(expected, 1e-12), rel=1e-5, abs=1e-11)


@given(
    st.lists(st.tuples(st.floats(0.001, 1), st.integers(1, 30)), min_size=2, max_size=2),
    st.floats(0.001, 0.5),
)
def test_an_interval_at_p_ends_where_the_distance_does(
    parts: list[tuple[float, int]], p: float
) -> None:
    errors = [SquaredError(*part) for part in parts]
    assert chance(reach(errors, 1 - p), errors) == pytest.approx(p, rel=1e-6)
