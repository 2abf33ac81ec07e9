"""Intervals of rows: on the logit scale, within bounds, defined at the ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_predictions import all_said, predictions
from scipy.special import expit, logit
from scipy.stats import t as student
from simulated_scores import Design, coverage
from statsmodels.stats.proportion import proportion_confint

from harness.results.inference.delete_one import delete_one
from harness.results.inference.score_intervals import Interval, score_interval
from harness.tasks import TASKS

TASK = TASKS["classification"]


def test_it_is_students_around_the_logit() -> None:
    score = delete_one([[predictions(120, 6, seed=3)]], TASK)["uar"]
    found = score_interval(score, share=True)
    without = logit(score.without)
    error = (5 / 6 * ((without - without.mean()) ** 2).sum()) ** 0.5
    ends = logit(score.whole) + np.array([-1, 1]) * student.ppf(0.975, 5) * error
    assert (found.low, found.high) == pytest.approx(tuple(expit(ends)))


@given(
    st.lists(st.integers(0, 6), min_size=2, max_size=8),
    st.lists(st.integers(0, 6), min_size=8, max_size=8),
)
def test_it_lies_in_bounds_and_holds_the_score(one: list[int], other: list[int]) -> None:
    seeds = [all_said(one, of=6), all_said(other[: len(one)], of=6)]
    for folds in ([seeds[:1]], [seeds]):
        for score in delete_one(folds, TASK).values():
            found = score_interval(score, share=True)
            assert 0 <= found.low <= score.whole <= found.high <= 1


@pytest.mark.parametrize("right", [0, 3, 6])
def test_speakers_that_are_all_alike_leave_that_of_so_many_utterances(right: int) -> None:
    score = delete_one([[all_said([right] * 5, of=6)]], TASK)["accuracy"]
    found = score_interval(score, share=True)
    low, high = proportion_confint(5 * right, 30, method="wilson")
    assert (found.low, found.high) == pytest.approx((low, high))


def test_what_is_no_share_is_taken_as_it_is() -> None:
    score = delete_one([[predictions(120, 6, seed=3)]], TASK)["uar"]
    found = score_interval(score, share=False)
    assert found.high - score.whole == pytest.approx(score.whole - found.low)


def test_training_anew_widens_it() -> None:
    """Two seeds far apart, each as good with every speaker."""
    seeds = [all_said([3, 4, 3, 4], of=8), all_said([6, 7, 6, 7], of=8)]

    def width(interval: Interval) -> float:
        return interval.high - interval.low

    both = score_interval(delete_one([seeds], TASK)["accuracy"], share=True)
    single = score_interval(delete_one([seeds[:1]], TASK)["accuracy"], share=True)
    assert width(both) > 2 * width(single)


@pytest.mark.slow
@pytest.mark.parametrize(
    "design",
    [
        Design(4),
        Design(6, 3, unbalanced=True),
        Design(10, 5, seeds=2, by_training=0.3),
        Design(24, 6, seeds=2, by_training=0.3),
        Design(24, 1, unbalanced=True),
    ],
    ids=str,
)
def test_it_holds_the_truth_as_often_as_it_says(design: Design) -> None:
    """From 93 to 98 %, and two standard errors of 800 draws to either side."""
    for metric, share in coverage(design, draws=800, seed=1).items():
        assert 0.93 - 0.018 <= share <= 0.98 + 0.01, (metric, share)
