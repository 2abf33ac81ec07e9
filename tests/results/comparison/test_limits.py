"""When a comparison fails."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UserError
from harness.results.comparison.change import Change
from harness.results.comparison.cost_changes import CostPairs
from harness.results.comparison.limits import Limit, Verdict, judged, read_limit
from harness.results.comparison.results_comparison import ResultsComparison
from harness.results.comparison.trial_pairs import TrialPairs
from harness.results.inference.score_intervals import Interval


def change(base: float, head: float, real: bool | None = True, room: float | None = 0.0) -> Change:
    """A difference, with so much room for noise on either side."""
    gone = head - base
    interval = None if room is None else Interval(gone - room, gone + room)
    return Change("wavlm-base", "uar", base, head, real, "", interval)


def compared(*changes: Change) -> ResultsComparison:
    nothing = TrialPairs((), (), ())
    return ResultsComparison(nothing, (), (), changes, CostPairs((), (), ()), (), (), None)


@pytest.mark.parametrize(
    ("limit", "base", "head", "fails"),
    [
        ("uar:-0.02", 0.60, 0.57, True),
        ("uar:-0.02", 0.60, 0.59, False),
        ("uar:-0.02", 0.60, 0.90, False),
        ("uar:+5%", 100.0, 106.0, True),
        ("uar:+5%", 100.0, 104.0, False),
        ("uar:+5%", 100.0, 10.0, False),
        ("uar:0", 7.0, 8.0, True),
        ("uar:0", 7.0, 6.0, True),
        ("uar:0", 7.0, 7.0, False),
        ("uar:10%", 0.0, 1.0, True),
    ],
)
def test_a_limit_holds_in_its_direction(limit: str, base: float, head: float, fails: bool) -> None:
    assert read_limit(limit).verdict(change(base, head)) == ("breached" if fails else "holds")


@pytest.mark.parametrize(
    ("head", "real", "room", "verdict"),
    [
        (0.45, True, 0.05, "breached"),
        (0.45, False, 0.20, "unsure"),
        (0.45, None, None, "breached"),
        (0.59, False, 0.20, "unsure"),
        (0.59, False, 0.009, "holds"),
        (0.59, None, None, "unsure"),
        (0.60, None, None, "holds"),
        (0.60, False, 0.019, "holds"),
        (0.60, False, 0.021, "unsure"),
        (0.75, False, 0.20, "unsure"),
        (0.75, True, 0.10, "holds"),
    ],
)
def test_a_limit_holds_only_where_noise_leaves_no_doubt(
    head: float, real: bool | None, room: float | None, verdict: Verdict
) -> None:
    assert read_limit("uar:-0.02").verdict(change(0.60, head, real, room)) == verdict


@given(
    base=st.floats(0.01, 1),
    head=st.floats(0.01, 1),
    room=st.floats(0, 1),
    amount=st.floats(0, 1).map(lambda value: round(value, 3)),
    sign=st.sampled_from(["-", "+", ""]),
)
def test_more_noise_never_makes_a_limit_hold(
    base: float, head: float, room: float, amount: float, sign: str
) -> None:
    limit = Limit("uar", sign, amount, percent=False)
    for real in (True, False, None):
        if limit.verdict(change(base, head, real, room)) == "holds":
            assert limit.verdict(change(base, head, real, room / 2)) == "holds"
            assert limit.verdict(change(base, head, real, 0.0)) == "holds"


def test_a_figure_that_was_not_compared_is_the_users_mistake() -> None:
    with pytest.raises(UserError, match=r"--fail-on uax: .*did you mean 'uar'"):
        judged([read_limit("uax:-0.02")], compared(change(0.6, 0.6)), "breached")


@pytest.mark.parametrize("text", ["uar", "uar:", "uar:-", "uar:0.1.2", ":3", "uar:-2 %", "uar=3"])
def test_what_is_no_limit_is_explained(text: str) -> None:
    with pytest.raises(UserError, match="write FIGURE:LIMIT"):
        read_limit(text)


@given(
    figure=st.from_regex(r"[a-z_]{1,20}", fullmatch=True),
    sign=st.sampled_from(["-", "+", ""]),
    amount=st.integers(0, 10**6).map(lambda whole: whole / 1000),
    percent=st.booleans(),
)
def test_every_limit_is_read_as_it_is_written(
    figure: str, sign: str, amount: float, percent: bool
) -> None:
    text = f"{figure}:{sign}{amount}{'%' if percent else ''}"
    assert read_limit(text) == Limit(figure, sign, amount, percent)
