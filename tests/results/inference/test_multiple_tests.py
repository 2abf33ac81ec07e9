"""Families of tests, and letters that say which rows they leave together."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.results.inference.multiple_tests import holm, letters


@settings(max_examples=20, deadline=None)  # statsmodels takes its time
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_steps_down_from_the_smallest(chances: list[float]) -> None:
    expected: dict[int, float] = {}
    largest = 0.0
    for step, place in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        largest = max(largest, min(1.0, chances[place] * (len(chances) - step)))
        expected[place] = largest
    np.testing.assert_allclose(holm(chances), [expected[i] for i in range(len(chances))])


@given(st.integers(1, 9).flatmap(lambda n: st.lists(st.booleans(), min_size=n * n, max_size=n * n)))
def test_rows_share_a_letter_if_and_only_if_nothing_separates_them(drawn: list[bool]) -> None:
    size = round(len(drawn) ** 0.5)
    upper = np.triu(np.array(drawn).reshape(size, size), 1)
    separated = upper | upper.T
    found = letters(separated)
    for one in range(size):
        for other in range(size):
            assert bool(set(found[one]) & set(found[other])) == (not separated[one, other])


def test_the_best_row_has_the_first_letter() -> None:
    assert letters(np.zeros((3, 3))) == ["a", "a", "a"]
    assert letters(1 - np.eye(3)) == ["a", "b", "c"]
