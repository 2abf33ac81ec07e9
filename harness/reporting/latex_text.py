r"""Text and tables as LaTeX; tables need `\usepackage{booktabs}`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.reporting.columns import Column
from harness.reporting.formats import printable

_LATEX = str.maketrans(
    {
        **{sign: f"\\{sign}" for sign in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        # at the start of a line these would belong to the line break before them
        "[": "{[}",
        "*": "{*}",
        "→": r"$\rightarrow$",
        "−": "$-$",
        "×": r"$\times$",
        "±": r"$\pm$",
        "·": r"$\cdot$",
        "≤": r"$\leq$",
        "–": "--",
        "�": "?",
    }
)
"""What stands for itself in text and not in LaTeX."""


def latex(text: str) -> str:
    r"""The text, with all that LaTeX would take for a command written out.

    >>> print(latex("50 % of a_b <script> [red]"))
    50 \% of a\_b \textless{}script\textgreater{} {[}red]
    """
    return printable(text).translate(_LATEX)


def booktabs(rows: Sequence[Any], columns: Sequence[Column]) -> str:
    """What people read of the rows, as a tabular with the rules of booktabs."""
    sides = "".join("r" if column.numeric else "l" for column in columns)
    lines = [_line([column.heading for column in columns]), r"\midrule"]
    lines += [_line([column.text(row) for column in columns]) for row in rows]
    return "\n".join(
        [rf"\begin{{tabular}}{{{sides}}}", r"\toprule", *lines, r"\bottomrule", r"\end{tabular}"]
    )


def _line(texts: Sequence[str]) -> str:
    return rf"{' & '.join(map(latex, texts))} \\"
