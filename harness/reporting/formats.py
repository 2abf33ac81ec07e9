"""How values are written for people: units, rounding, and a dash for what is not known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.results.inference.score_intervals import Interval

DASH = "–"
"""Stands for what was not measured."""

Format = Callable[[Any], str]


def plain(value: Any) -> str:
    """The value as it is."""
    return DASH if value is None else str(value)


def printable(text: str) -> str:
    r"""The text without signs that move a cursor, break a line or order a terminal about.

    >>> printable("a\x1b[2Jb\tc"), printable("日本\n")
    ('a�[2Jb�c', '日本�')
    """
    return "".join(sign if sign.isprintable() else "�" for sign in text)


def scaled(spec: str, *, per: float = 1.0, times: float = 1.0) -> Format:
    """Numbers in another unit.

    Args:
        spec: how the number is rounded, as `format` takes it
        per: how many of the raw unit make one of the unit shown
        times: how many of the unit shown make one of the raw unit

    >>> scaled(".2f", per=2**30)(3 * 2**29), scaled(".2f")(None)
    ('1.50', '–')
    """
    return lambda value: DASH if value is None else format(value * times / per, spec)


percent = scaled(".1f", times=100)
"""A share in per cent.

>>> percent(0.6789), percent(None)
('67.9', '–')
"""
whole_percent = scaled(".0f", times=100)
decimal = scaled(".3f")
millions = scaled(".2f", per=1e6)
gibibytes = scaled(".2f", per=2**30)
milliseconds = scaled(".4g", times=1000)
gigaflops = scaled(".3g", per=1e9)


def rate(value: float | None) -> str:
    """A speed with three digits, or as many as it has before the point.

    >>> rate(31.25), rate(1234.5)
    ('31.2', '1234')
    """
    return DASH if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def interval_text(number: Format) -> Callable[[Interval | None], str]:
    """A range in brackets.

    Args:
        number: how both of its ends are written

    >>> interval_text(percent)(Interval(0.4, 0.6))
    '[40.0, 60.0]'
    """
    return lambda found: DASH if found is None else f"[{number(found.low)}, {number(found.high)}]"
