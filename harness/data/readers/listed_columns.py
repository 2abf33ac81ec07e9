"""Columns of a list that say which stretch of a file is meant, and those that only look as if.

A time, channel or split that is passed over changes what is heard; so what is known is read, what
can be checked against the sound is checked, and what is not known is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from math import isfinite, nan
from pathlib import Path
from typing import Any

import soundfile

from harness.errors import choices

STARTS = ("start_s", "start_time", "start", "begin")
ENDS = ("end_s", "end_time", "end")
"""Seconds, or times such as "0 days 00:00:02.5" as audformat writes them."""

LENGTHS = ("duration_s", "duration", "length")
"""Seconds, of the stretch or of its file."""
CHANNELS = ("channel", "channels", "num_channels")
"""How many the file has."""
CHECKED = (*LENGTHS, *CHANNELS)

LENGTH_TOLERANCE_S = 0.1
LENGTH_TOLERANCE_SHARE = 0.02
"""The larger counts: lists round, and encoders pad."""

_HINTS = {
    "a time": r"(\w+_)?(start|end|beg|begin|stop|onset|offset|duration|timestamp)(_\w+)?"
    r"|(start|end|begin|stop)(s|sec|time|ms)|[xt]_?(min|max|start|end)|t[01]|from|to|seek|times?"
    r"|(first|last)_(frame|sample)"
    r"|((audio|clip|file|segment|speech|utterance|wav)_)?(length|len|dur)(_s|_sec|_ms|_seconds)?",
    "a channel": r"(\w+_)?(channels?|chan|track)(_\w+)?|ch\d?|side|mic|left_right",
    "a split": r"(\w+_)?(splits?|folds?|partition|subset|train|test|dev)(_\w+)?|set(_name)?|usage"
    r"|phase|cv|valid(ation)?",
}
"""Names of columns in small letters; better one too many, which a suite can ignore by name."""
_OF_WORDS = re.compile(
    r"(word|text|label|token|emotion|rating|sentence|transcript)s?_|_(word|text)s?"
)
_CLOCK = re.compile(
    r"(?:(?P<days>\d+) days?,? ?)?(?:(?P<hours>\d+):)?(?P<minutes>\d+):(?P<seconds>\d+(?:\.\d+)?)"
)


def seconds_of(value: Any) -> float | None:
    """A time in seconds; None for "not a time", and not a number for what is no time at all.

    >>> seconds_of("0 days 00:01:02.5"), seconds_of("7.25"), seconds_of("NaT")
    (62.5, 7.25, None)
    """
    if isinstance(value, timedelta):
        return value.total_seconds()
    text = str(value).strip()
    if text.lower() == "nat":
        return None
    if found := _CLOCK.fullmatch(text):
        parts = {name: float(part or 0) for name, part in found.groupdict().items()}
        minutes = (parts["days"] * 24 + parts["hours"]) * 60 + parts["minutes"]
        return minutes * 60 + parts["seconds"]
    return number_of(value)


def number_of(value: Any) -> float:
    """The value as a number; what is none becomes NaN, which no range holds."""
    try:
        return nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return nan


def segment_bounds(
    values: Mapping[str, Any], mistakes: list[str]
) -> tuple[float | None, float | None]:
    """Where the stretch of a row begins and ends, in seconds; None for the ends of its file."""
    start_s, end_s = _bound(values, STARTS, mistakes), _bound(values, ENDS, mistakes)
    if end_s is not None and end_s <= (start_s or 0.0):
        mistakes.append(f"end {end_s:g} s does not lie after start {start_s or 0.0:g} s")
    return start_s, end_s


def _bound(values: Mapping[str, Any], names: Iterable[str], mistakes: list[str]) -> float | None:
    given = [name for name in names if name in values]
    if len(given) > 1:
        mistakes.append(f"{' and '.join(given)} mean the same: keep one")
    if not given:
        return None
    seconds = seconds_of(values[given[0]])
    if seconds is None or 0 <= seconds < float("inf"):
        return seconds
    mistakes.append(f"{given[0]} must be a number of seconds, found {values[given[0]]!r}")
    return None


def stretch_id(name: str, start_s: float | None, end_s: float | None) -> str:
    """A name for a stretch of a file that no other stretch has, to the microsecond.

    >>> stretch_id("a", 0.5, 1.5), stretch_id("a", 100_000.25, None), stretch_id("a", None, None)
    ('a@0.5-1.5', 'a@100000.25-', 'a')
    """
    if start_s is None and end_s is None:
        return name
    return f"{name}@{_plain(start_s or 0.0)}-{'' if end_s is None else _plain(end_s)}"


def _plain(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def suspicious_columns(
    columns: Iterable[str], known: Collection[str], ignored: Collection[str]
) -> list[str]:
    """What is wrong with columns that are not known and look as if they chose what is heard."""
    return [
        f"column {name!r} looks like {what} and is not known; {_remedy(what)}, or list it as "
        "`ignore_columns: [...]` under this corpus"
        for name in columns
        if name not in known and name not in ignored and (what := _looks_like(name))
    ]


def unknown_ignored(columns: Collection[str], ignored: Iterable[str]) -> list[str]:
    """What is wrong with columns that a suite wants ignored and that are not there."""
    return [
        f"ignore_columns: there is no column {name!r}: {choices(name, sorted(columns))}"
        for name in ignored
        if name not in columns
    ]


def _remedy(what: str) -> str:
    return {
        "a time": "call times start_s, end_s or duration_s, in seconds",
        "a channel": "call the number of channels `channels`",
        "a split": "call it split (train, dev, test) or fold (1, 2, ...)",
    }[what]


def _looks_like(column: str) -> str | None:
    name = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column).lower())
    if _OF_WORDS.search(name):
        return None
    return next((what for what, hint in _HINTS.items() if re.fullmatch(hint, name)), None)


def check_against_sound(
    values: Mapping[str, Any],
    path: Path,
    bounds: tuple[float | None, float | None],
    ignored: Collection[str],
) -> list[str]:
    """What a row says of the length and channels of its recording that is not so.

    A file that is not there or cannot be decoded is told of elsewhere.
    """
    named = [name for name in CHECKED if name in values and name not in ignored]
    if not named:
        return []
    try:
        info = soundfile.info(path)
    except (soundfile.SoundFileError, OSError):
        return []
    start_s, end_s = bounds
    stretch_s = (info.duration if end_s is None else end_s) - (start_s or 0.0)
    return [
        mistake
        for name in named
        if (mistake := _mismatch(name, values[name], info, {stretch_s, info.duration}))
    ]


def _mismatch(name: str, value: Any, info: Any, lengths_s: Collection[float]) -> str | None:
    if name in CHANNELS:
        # "channel: 2" may be the second of two as well as how many there are
        counts = name != "channel" or info.channels == 1
        if number_of(value) == info.channels and counts:
            return None
        return (
            f"{name} is {value}, and the file has {info.channels}; if it chooses one of them, cut "
            f"it out first, else write `ignore_columns: [{name}]` under this corpus"
        )
    listed = seconds_of(value)
    if listed is None or not isfinite(listed):
        return f"{name} must be a number of seconds, found {value!r}"
    if any(_near(listed, length_s) for length_s in lengths_s):
        return None
    found = " or ".join(f"{length_s:.2f} s" for length_s in sorted(lengths_s))
    return (
        f"{name} is {listed:g} s, and the recording has {found}: is it another file, or cut off? "
        f"Else write `ignore_columns: [{name}]` under this corpus"
    )


def _near(listed_s: float, length_s: float) -> bool:
    return abs(listed_s - length_s) <= max(LENGTH_TOLERANCE_S, LENGTH_TOLERANCE_SHARE * listed_s)
