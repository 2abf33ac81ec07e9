"""Flags where a table has no room for their words: a number on the row, and a note for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from harness.reporting.columns import Column
from harness.reporting.comparison_columns import FLAGS, AnyRow
from harness.results.flags import FLAG_MEANINGS, flag_name

Numbers = Mapping[str, int]
"""Of flags, with their counts."""


def flag_numbers(rows: Iterable[AnyRow]) -> Numbers:
    """A number for each flag of these rows: those of one kind follow each other."""
    present = {flag for row in rows for flag in row.flags}
    kinds = list(FLAG_MEANINGS)
    ordered = sorted(present, key=lambda flag: (kinds.index(flag_name(flag)), _natural(flag)))
    return {flag: number for number, flag in enumerate(ordered, start=1)}


def numbered_flags(numbers: Numbers) -> Column:
    """The column of flags, with their numbers in place of their words."""
    return replace(
        FLAGS,
        title="Note",
        displayed=lambda row: ",".join(str(n) for n in sorted(numbers[f] for f in row.flags)),
        format=str,
    )


def flag_notes(flags: Iterable[str]) -> list[str]:
    """What each kind of these flags means, once.

    >>> flag_notes(["RANDOM"])
    ['RANDOM: the backbone has random weights, not pretrained ones.']
    """
    present = {flag_name(flag) for flag in flags}
    return [f"{kind}: {meaning}" for kind, meaning in FLAG_MEANINGS.items() if kind in present]


def numbered_notes(numbers: Numbers) -> list[str]:
    """What each kind of these flags means, once, after their numbers.

    >>> numbered_notes({"INCOMPLETE 0 of 2": 1, "INCOMPLETE 1 of 2": 2})[0][:46]
    '(1) INCOMPLETE 0 of 2, (2) INCOMPLETE 1 of 2: '
    """
    notes = []
    for kind, meaning in FLAG_MEANINGS.items():
        own = [f"({number}) {flag}" for flag, number in numbers.items() if flag_name(flag) == kind]
        notes += [f"{', '.join(own)}: {meaning}"] if own else []
    return notes


def _natural(flag: str) -> tuple[int, ...]:
    return tuple(int(word) for word in flag.split() if word.isdigit())
