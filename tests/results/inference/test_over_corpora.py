"""Rows over many corpora."""

import numpy as np
import pytest
from scipy.stats import friedmanchisquare

from harness.errors import UserError
from harness.results.inference.over_corpora import over_corpora


def made_up(corpora: int, gain: float = 0.2) -> dict[str, dict[str, float]]:
    generator = np.random.default_rng(0)
    return {
        f"corpus {place}": {
            name: float(base + generator.normal(0, 0.02) + level * gain)
            for level, name in enumerate(("worst", "middle", "best"))
        }
        for place, base in enumerate(generator.uniform(0.2, 0.4, corpora))
    }


def test_it_is_friedmans_test_of_the_scores() -> None:
    scores = made_up(8)
    found = over_corpora(scores)
    table = np.array([list(rows.values()) for rows in scores.values()])
    assert found.p == pytest.approx(friedmanchisquare(*table.T).pvalue)
    assert list(found.ranks.items()) == [("best", 1.0), ("middle", 2.0), ("worst", 3.0)]
    assert found.pairs["best", "worst"] < 0.01 < found.pairs["best", "middle"]


def test_the_critical_difference_is_that_of_demsars_table() -> None:
    """q of 2.343 for three rows, times √(3 · 4 / (6 · 8))."""
    assert over_corpora(made_up(8)).critical_difference == pytest.approx(2.343 * 0.5, abs=1e-3)


def test_where_lower_is_better_the_lowest_comes_first() -> None:
    assert next(iter(over_corpora(made_up(6), higher_is_better=False).ranks)) == "worst"


def test_four_corpora_or_two_rows_are_refused() -> None:
    with pytest.raises(UserError, match="5 corpora or more; here are 4"):
        over_corpora(made_up(4))
    scores = made_up(6)
    del scores["corpus 3"]["best"]
    with pytest.raises(UserError, match="three rows or more"):
        over_corpora(scores)
