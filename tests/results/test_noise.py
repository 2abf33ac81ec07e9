"""Scatter and significance, against numpy and against what must hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.results.noise import FEWEST, chance, spread

SAMPLES = st.lists(st.floats(0.01, 100), min_size=FEWEST, max_size=40)


@given(samples=SAMPLES, factor=st.floats(0.1, 10))
def test_the_spread_does_not_depend_on_the_unit_or_the_order(
    samples: list[float], factor: float
) -> None:
    found = spread(samples)
    assert found is not None
    assert found >= 0
    assert spread([factor * s for s in reversed(samples)]) == pytest.approx(found, abs=1e-9)


def test_few_samples_have_no_spread() -> None:
    assert spread([1.0] * (FEWEST - 1)) is None


def test_samples_of_one_source_differ_by_chance_alone() -> None:
    rng = np.random.default_rng(0)
    found = [chance(rng.normal(size=20).tolist(), rng.normal(size=20).tolist()) for _ in range(200)]
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.04)
    assert chance(rng.normal(size=20).tolist(), rng.normal(2, 1, size=20).tolist()) < 0.01
