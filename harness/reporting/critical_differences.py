"""The diagram of mean ranks over corpora: rows that no bar joins are told apart.

Demšar, "Statistical comparisons of classifiers over multiple data sets", 2006, figure 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.reporting.formats import printable
from harness.results.inference.over_corpora import OverCorpora

if TYPE_CHECKING:  # matplotlib takes a second to import: only where one draws
    from matplotlib.figure import Figure

_LINE_INCHES = 0.24
_WIDTH_INCHES = 6.5


def joined(ranks: Sequence[float], critical_difference: float) -> list[tuple[int, int]]:
    """First and last places of rows that nothing tells apart, the widest such stretches alone.

    Args:
        ranks: mean ranks, the best first
        critical_difference: of mean ranks

    >>> joined([1.0, 1.5, 2.4, 4.0], 1.0)
    [(0, 1), (1, 2)]
    """
    found: list[tuple[int, int]] = []
    for first, rank in enumerate(ranks):
        last = max(place for place, other in enumerate(ranks) if other - rank < critical_difference)
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def critical_differences(found: OverCorpora) -> Figure:
    """Draw it: ranks from left to right, a line a row, bars below the axis.

    Args:
        found: mean ranks over some corpora
    """
    from matplotlib.figure import Figure

    names, ranks = list(found.ranks), list(found.ranks.values())
    bars = joined(ranks, found.critical_difference)
    lines = len(names) + len(bars) + 2.5
    figure = Figure(figsize=(_WIDTH_INCHES, _LINE_INCHES * lines), layout="constrained")
    axes = figure.subplots()
    axes.set_xlim(0.9, len(names) + 0.1)
    axes.set_ylim(lines, 0)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xticks(range(1, len(names) + 1))
    axes.set_xlabel(f"mean rank over {len(found.corpora)} corpora, 1 is best")
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.spines["top"].set_visible(True)
    axes.set_yticks([])
    axes.plot([1, 1 + found.critical_difference], [1, 1], color="0.45", linewidth=1.5)
    axes.text(1, 0.8, f"critical difference {found.critical_difference:.2f}", va="bottom", size=7)
    for place, (first, last) in enumerate(bars):
        height = 2 + place
        axes.plot([ranks[first], ranks[last]], [height, height], color="black", linewidth=3)
    centre = (len(names) + 1) / 2
    # from the centre outwards, so that no line crosses a name
    for place, name in enumerate(sorted(names, key=lambda name: abs(found.ranks[name] - centre))):
        rank, line = found.ranks[name], 2.5 + len(bars) + place
        axes.plot([rank, rank], [0, line], color="0.75", linewidth=0.8, zorder=0)
        axes.plot([rank], [line], "o", color="black", markersize=3)
        text = f"  {printable(name)} ({rank:.2f})  "
        axes.text(rank, line, text, va="center", ha="left" if rank <= centre else "right", size=8)
    return figure
