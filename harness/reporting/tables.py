"""Rows and columns as a data frame, and as text in a grid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import pandas as pd
from tabulate import tabulate

from harness.reporting.columns import Column, Kind

_DTYPES: dict[Kind, str] = {int: "Int64", float: "float64", bool: "boolean"}

Markup = Literal["pipe", "latex_booktabs"]


def frame(rows: Sequence[Any], columns: Iterable[Column]) -> pd.DataFrame:
    """The raw values: scores as shares, sizes in bytes, missing where nothing was measured."""
    return pd.DataFrame(
        {
            column.name: pd.Series(
                [column.raw(row) for row in rows], dtype=_DTYPES.get(column.type, "object")
            )
            for column in columns
        }
    )


def grid(rows: Sequence[Any], columns: Sequence[Column], markup: Markup = "pipe") -> str:
    """What people read of the rows, as Markdown or LaTeX; nothing without rows."""
    if not rows:
        return ""
    texts = [[_escaped(column.text(row), markup) for column in columns] for row in rows]
    sides = ["right" if column.numeric else "left" for column in columns]
    titles = [column.title for column in columns]
    # fields are text already: left to itself, tabulate would round them again
    return tabulate(texts, titles, tablefmt=markup, colalign=sides, disable_numparse=True)


def _escaped(text: str, markup: Markup) -> str:
    return text.replace("|", "\\|") if markup == "pipe" else text
