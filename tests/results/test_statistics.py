"""Means and spreads agree with loops written out by hand."""

from statistics import fmean, stdev

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.results.statistics import spread


def trials(values: dict[tuple[int, int], float]) -> pd.DataFrame:
    rows = [(fold, seed, value) for (fold, seed), value in values.items()]
    return pd.DataFrame(rows, columns=["fold", "seed", "uar"])


@given(
    st.integers(2, 4).flatmap(
        lambda folds: st.integers(2, 4).flatmap(
            lambda seeds: st.lists(
                st.lists(st.floats(0, 1), min_size=seeds, max_size=seeds),
                min_size=folds,
                max_size=folds,
            )
        )
    )
)
def test_spreads_are_those_of_the_means_over_the_other_axis(grid: list[list[float]]) -> None:
    values = {(f, s): value for f, row in enumerate(grid) for s, value in enumerate(row)}
    found = spread(trials(values), "uar")
    assert found.mean == pytest.approx(fmean(values.values()))
    assert found.folds == pytest.approx(stdev(map(fmean, grid)), abs=1e-9)
    by_seed = [fmean(column) for column in zip(*grid, strict=True)]
    assert found.seeds == pytest.approx(stdev(by_seed), abs=1e-9)


def test_one_fold_or_one_seed_has_no_spread() -> None:
    found = spread(trials({(1, 1): 0.5}), "uar")
    assert (found.mean, found.folds, found.seeds) == (0.5, None, None)
    assert spread(trials({(1, 1): 0.5, (1, 2): 0.7}), "uar").folds is None
    assert spread(trials({(1, 1): 0.5, (2, 1): 0.7}), "uar").seeds is None


def test_a_missing_trial_does_not_mix_folds_into_the_spread_over_seeds() -> None:
    found = spread(trials({(1, 1): 0.2, (1, 2): 0.2, (2, 1): 0.8}), "uar")
    assert found.mean == pytest.approx(0.5)
    assert found.seeds == 0
