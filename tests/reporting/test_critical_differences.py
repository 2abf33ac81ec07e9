"""The diagram of mean ranks."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from harness.reporting.critical_differences import critical_differences, joined
from harness.reporting.figures import save_figure
from harness.results.inference.over_corpora import over_corpora


@given(st.lists(st.floats(1, 9), min_size=1, max_size=9).map(sorted), st.floats(0.1, 5))
def test_a_bar_joins_two_rows_if_and_only_if_they_are_nearer_than_the_difference(
    ranks: list[float], critical: float
) -> None:
    bars = joined(ranks, critical)
    for one in range(len(ranks)):
        for other in range(one + 1, len(ranks)):
            under = any(first <= one and other <= last for first, last in bars)
            assert under == (ranks[other] - ranks[one] < critical)


def test_every_row_stands_in_the_diagram_with_its_rank(tmp_path: Path) -> None:
    scores = {
        f"corpus {n}": {"wavlm $x_1": 0.5 + n / 100, "logmel": 0.4, "hubert 你": 0.3, "e2v": 0.2}
        for n in range(6)
    }
    found = over_corpora(scores)
    svg, png = save_figure(lambda: critical_differences(found), tmp_path, "mean_ranks")
    text = svg.read_text(encoding="utf-8")
    for name, rank in found.ranks.items():
        assert f"{name} ({rank:.2f})" in text
    assert "mean rank over 6 corpora" in text
    assert png.stat().st_size > 5000
