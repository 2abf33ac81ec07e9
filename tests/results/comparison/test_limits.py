"""When a comparison fails."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UserError
from harness.results.comparison.change import Change
from harness.results.comparison.limits import Limit, breaches, read_limit


def change(base: float, head: float, real: bool | None = True) -> Change:
    return Change("wavlm-base", "uar", base, head, real, "")


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
    assert read_limit(limit).breached(change(base, head)) is fails


def test_noise_breaches_no_limit_and_the_unknown_does() -> None:
    limit = read_limit("uar:-0.02")
    assert not limit.breached(change(0.6, 0.5, real=False))
    assert limit.breached(change(0.6, 0.5, real=None))


def test_a_figure_that_was_not_compared_is_the_users_mistake() -> None:
    with pytest.raises(UserError, match=r"--fail-on uax: .*did you mean 'uar'"):
        breaches([read_limit("uax:-0.02")], [change(0.6, 0.6)])


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
