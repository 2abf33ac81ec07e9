"""Which cells of a comparison make one line of a figure, and how it looks. No drawing here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness.reporting.columns import axis_names

# colours that the colour-blind tell apart (Petroff 2021), greys last: chance is grey too
_COLOURS = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#92dadd",
    "#94a4a2",
    "#717581",
)
_MARKERS = "osD^v"  # the next one when the colours are used up
_DASHES = ("-", ":", "-.", (0, (5, 1)))
_SIDESTEP_POINTS = 2.5


@dataclass(frozen=True)
class Series:
    """The cells that differ in corpus and finetune_layers alone; it looks the same everywhere."""

    label: str
    colour: str
    marker: str
    dashes: str | tuple[int, tuple[int, int]]
    hollow: bool
    """Random weights."""
    sidestep_points: float
    """How far to the right it is moved, so that error bars at one place can be told apart."""
    groups: pd.DataFrame
    """Rows of the comparison that have a score."""


def series_of(table: pd.DataFrame) -> list[Series]:
    """The lines of a comparison: a colour for each backbone, dashes for each other setting."""
    if table.empty:
        return []
    groups = table[table["planned"].notna()].dropna(subset=["uar", "trainable_parameters"])
    keys = [_key(row) for row in groups[["backbone", *axis_names(table)]].itertuples(index=False)]
    names = list(dict.fromkeys(keys))
    backbones = list(dict.fromkeys(name[0] for name in names))
    settings = list(dict.fromkeys(name[1:] for name in names))
    return [
        _line(
            name,
            groups[[key == name for key in keys]],
            (backbones.index(name[0]), settings.index(name[1:])),
            _SIDESTEP_POINTS * (index - (len(names) - 1) / 2),
        )
        for index, name in enumerate(names)
    ]


def _line(
    name: tuple[str, ...], groups: pd.DataFrame, place: tuple[int, int], sidestep: float
) -> Series:
    backbone, setting = place
    random = bool(groups["flags"].str.contains("RANDOM").any())
    return Series(
        label=" · ".join(name) + (" (RANDOM)" if random else ""),
        colour=_COLOURS[backbone % len(_COLOURS)],
        marker=_MARKERS[backbone // len(_COLOURS) % len(_MARKERS)],
        dashes=_DASHES[setting % len(_DASHES)],
        hollow=random,
        sidestep_points=sidestep,
        groups=groups,
    )


def _key(row: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(str(value) for value in row if not pd.isna(value))
