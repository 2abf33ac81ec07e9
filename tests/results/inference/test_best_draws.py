"""The order of rows, drawn together."""

import numpy as np
import pytest
from simulated_scores import Design, draw_rows

from harness.results.inference.best_draws import drawn_order
from harness.results.inference.delete_one import DeleteOne


def rows(*levels: float, design: Design | None = None) -> list[DeleteOne]:
    base = design or Design(10, 5, seeds=2, by_training=0.1, utterances=200)
    changed = [Design(**{**vars(base), "level": level}) for level in levels]
    return [row["uar"] for row in draw_rows(changed, np.random.default_rng(4))]


def test_chances_to_be_best_add_up_to_one_and_follow_the_scores() -> None:
    found = drawn_order(rows(1.5, 0.5, 0.4, -1.0), higher_is_better=True)
    assert found.best.sum() == pytest.approx(1)
    assert found.best[0] > 0.95
    assert found.best[3] < 0.01
    assert found.low[0] == 1
    assert (found.low <= found.high).all()
    assert found.high[3] == 4


def test_the_same_row_twice_is_best_as_often_as_itself() -> None:
    one = rows(0.5)[0]
    found = drawn_order([one, one], higher_is_better=True)
    assert found.best[0] == pytest.approx(0.5, abs=0.05)


def test_the_lowest_is_best_where_lower_is_better() -> None:
    found = drawn_order(rows(1.5, -1.0), higher_is_better=False)
    assert found.best[1] > 0.95


def test_the_best_of_rows_that_are_alike_looks_better_than_it_is() -> None:
    """The more rows there are to pick from, the more so."""
    alike = rows(*[0.5] * 8)
    few, many = (drawn_order(alike[:count], higher_is_better=True).optimism for count in (2, 8))
    assert 0 < few < many
    apart = drawn_order(rows(3.0, -3.0), higher_is_better=True)
    assert apart.optimism < 0.5 * few


def test_the_same_records_give_the_same_order() -> None:
    alike = rows(0.5, 0.6)
    one, other = (drawn_order(alike, higher_is_better=True) for _ in range(2))
    assert (one.best == other.best).all()
