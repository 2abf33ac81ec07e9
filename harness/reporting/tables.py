"""Rows and columns as a data frame, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from tabulate import tabulate

from harness.reporting.columns import Column, Kind
from harness.reporting.formats import printable

_DTYPES: dict[Kind, str] = {int: "Int64", float: "float64", bool: "boolean"}

_TAGS = str.maketrans({"<": "&lt;", ">": "&gt;"})


def markdown(text: str) -> str:
    """The text, with nothing that would begin a tag or another line where the page is shown.

    >>> markdown("<script> & co")
    '&lt;script&gt; & co'
    """
    return printable(text).translate(_TAGS)


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


def grid(rows: Sequence[Any], columns: Sequence[Column]) -> str:
    """What people read of the rows, as Markdown; nothing without rows."""
    if not rows:
        return ""
    texts = [[_cell(column.text(row)) for column in columns] for row in rows]
    sides = ["right" if column.numeric else "left" for column in columns]
    titles = [_cell(column.heading) for column in columns]
    # fields are text already: left to itself, tabulate would round them again
    return tabulate(texts, titles, tablefmt="pipe", colalign=sides, disable_numparse=True)


def _cell(text: str) -> str:
    return markdown(text).replace("|", r"\|")
