"""Tables as CSV, in which no text is taken for a formula by a spreadsheet."""

from __future__ import annotations

import re

import pandas as pd

_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?[\d.]+(e[+-]?\d+)?")


def to_csv(frame: pd.DataFrame) -> str:
    """With an apostrophe before what looks like a formula, as spreadsheets mark text.

    >>> print(to_csv(pd.DataFrame({"name": ["=1+1", "wavlm", "-0.5"], "count": [1, -2, 3]})))
    name,count
    '=1+1,1
    wavlm,-2
    -0.5,3
    <BLANKLINE>
    """
    texts = frame.select_dtypes(exclude="number")
    safe = {str(name): texts[name].map(_as_text) for name in texts}
    return str(frame.assign(**safe).to_csv(index=False))


def _as_text(cell: object) -> object:
    formula = isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell)
    return f"'{cell}" if formula else cell
