"""Tests of two rows agree with SciPy's where SciPy has one."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_predictions import all_said, predictions
from scipy.stats import ttest_rel
from simulated_scores import Design, drawn_differences, rejections

from harness.results.inference.delete_one import DeleteOne, delete_one
from harness.results.inference.difference_tests import paired_difference
from harness.tasks import TASKS

TASK = TASKS["classification"]


def accuracy(*seeds: list[int], of: int = 10) -> DeleteOne:
    """Of speakers with so many utterances right, trained once or more."""
    return delete_one([[all_said(right, of=of) for right in seeds]], TASK)["accuracy"]


RIGHTS = st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), min_size=2, max_size=9).filter(
    lambda pairs: len({a - b for a, b in pairs}) > 1
)


@settings(deadline=None)
@given(RIGHTS)
def test_of_a_mean_over_speakers_it_is_the_paired_t_test(pairs: list[tuple[int, int]]) -> None:
    one, other = ([pair[side] for pair in pairs] for side in (0, 1))
    found = paired_difference(accuracy(one), accuracy(other))
    expected = ttest_rel(np.array(one) / 10, np.array(other) / 10)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-5, abs=1e-10)
    low, high = expected.confidence_interval(0.95)
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high))


@settings(deadline=None)
@given(RIGHTS)
def test_sign_flips_are_counted_to_the_last(pairs: list[tuple[int, int]]) -> None:
    one, other = ([pair[side] for pair in pairs] for side in (0, 1))
    found = paired_difference(accuracy(one), accuracy(other))
    gaps = np.array(one) - np.array(other)
    means = [abs(np.dot(signs, gaps)) for signs in product((1, -1), repeat=len(gaps))]
    assert found.sign_flip_p == pytest.approx(np.mean(np.array(means) >= abs(gaps.sum()) - 1e-9))
    assert found.smallest_sign_flip_p == 2 / 2 ** len(gaps)


def test_equal_predictions_do_not_differ() -> None:
    frame = predictions(60, 5, seed=2)
    one = delete_one([[frame]], TASK)["macro_f1"]
    found = paired_difference(one, one)
    assert (found.difference, found.p, found.sign_flip_p, found.effect) == (0, 1, 1, None)
    assert found.within(0.01)


def test_speakers_that_all_differ_alike_are_as_sure_as_their_number() -> None:
    found = paired_difference(accuracy([5, 6, 7, 4]), accuracy([4, 5, 6, 3]))
    assert found.difference == pytest.approx(0.1)
    assert found.p == 2 / 2**4
    assert found.effect is None


def test_many_speakers_are_not_flipped() -> None:
    one = delete_one([[predictions(130, 13, seed=1)]], TASK)["uar"]
    other = delete_one([[predictions(130, 13, seed=2)]], TASK)["uar"]
    assert paired_difference(one, other).sign_flip_p is None


def test_other_utterances_are_not_compared() -> None:
    one = delete_one([[predictions(60, 5, seed=1)]], TASK)["uar"]
    other = delete_one([[predictions(65, 5, seed=1)]], TASK)["uar"]
    with pytest.raises(ValueError, match="other test utterances"):
        paired_difference(one, other)


def test_unlike_numbers_of_seeds_are_set_side_by_side_too() -> None:
    found = paired_difference(accuracy([5, 6, 3], [6, 7, 4], [3, 4, 2]), accuracy([4, 4, 3]))
    assert not found.retrained
    assert len(found.errors) == 2


def test_training_anew_makes_a_test_less_sure() -> None:
    one = accuracy([7, 8, 6, 7], [3, 4, 2, 3])
    other = accuracy([4, 5, 3, 5], [4, 5, 3, 5])
    single = paired_difference(accuracy([5, 6, 4, 5]), accuracy([4, 5, 3, 5]))
    assert paired_difference(one, other).difference == pytest.approx(single.difference)
    assert paired_difference(one, other).p > single.p


@pytest.mark.parametrize(("speakers", "points"), [(4, 12.8), (6, 8.6), (10, 6.0), (24, 3.6)])
def test_a_design_says_what_it_can_find(speakers: int, points: float) -> None:
    """Of a paired deviation of 6 points."""
    generator = np.random.default_rng(0)
    gaps = generator.normal(size=speakers)
    gaps = 6 * (gaps - gaps.mean()) / gaps.std(ddof=1)
    without = np.array([(gaps.sum() - gap) / (speakers - 1) for gap in gaps])
    whole = accuracy([5] * speakers)
    moved = DeleteOne(0.0, without, whole.folds, whole.weights, whole.utterances, whole.tested)
    still = DeleteOne(0.0, 0 * without, whole.folds, whole.weights, whole.utterances, whole.tested)
    assert paired_difference(moved, still).detectable == pytest.approx(points, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(
    "design",
    [
        Design(4),
        Design(6, 3),
        Design(10, 1, unbalanced=True),
        Design(24, 6, seeds=2, by_training=0.3),
        Design(24, 1, seeds=2, by_training=0.3),
    ],
    ids=str,
)
def test_rows_that_are_alike_are_told_apart_no_more_often_than_allowed(design: Design) -> None:
    """At most 6 %, and two standard errors of 800 draws above it."""
    assert rejections(design, draws=800, seed=2) <= 0.06 + 0.017


@pytest.mark.slow
def test_a_planted_difference_is_found_as_often_as_it_is_said_to_be() -> None:
    """Where rows differ by what the design says it finds in four of five times."""
    design = Design(10, 5)
    found = drawn_differences(design, draws=300, seed=3, gain=0.6)
    truth = float(np.mean([test.difference for test in found]))
    needed = float(np.mean([test.detectable for test in found]))
    power = float(np.mean([test.p < 0.05 for test in found]))
    assert truth > 0.05
    assert power > 0.8 if truth > 1.1 * needed else power > 0.4
