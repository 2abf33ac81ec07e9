"""Quality against trainable parameters, drawn. What is drawn is computed elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.files import atomic_path
from harness.reporting.figure_series import (
    FigurePanel,
    Series,
    SeriesPoint,
    panels_of,
    series_of,
)
from harness.reporting.report_model import Report

if TYPE_CHECKING:  # matplotlib takes a second to import: only where one draws
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

FORMATS = ("svg", "png")

_PANELS_ABREAST = 2
_PANEL_INCHES = (5.6, 3.8)
_LABELS_ABREAST = 2  # under each panel
_LABEL_INCHES = 0.22
_GREY = "0.45"
_SIGNS = "*†‡§¶#"
_STYLE = {
    "svg.hashsalt": "harness",  # ids of elements are the same in every run
    "svg.fonttype": "none",  # text stays text
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 9.0,
}


def write_figures(report: Report, folder: Path) -> tuple[Path, ...]:
    """Write quality.svg and .png to a folder; nothing if no row has a score.

    One panel per corpus: the headline metric on test against trainable parameters, a line per
    backbone, a point per finetune_layers with its 95 % interval where there is one, and a baseline.
    """
    if not (lines := series_of(report)):
        return ()
    from matplotlib import style

    with style.context(["default", _STYLE]):
        figure = _figure(lines, panels_of(report))
        return tuple(_saved(figure, folder / f"quality.{form}") for form in FORMATS)


def _saved(figure: Figure, path: Path) -> Path:
    # no date and no version, so that equal records give equal files
    undated = {"Date": None} if path.suffix == ".svg" else {"Software": None}
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], dpi=160, metadata=undated)
    return path


def _figure(lines: Sequence[Series], panels: Sequence[FigurePanel]) -> Figure:
    from matplotlib.figure import Figure

    columns = min(len(panels), _PANELS_ABREAST)
    rows = ceil(len(panels) / columns)
    labels = columns * _LABELS_ABREAST
    height = rows * _PANEL_INCHES[1] + ceil((len(lines) + 1) / labels) * _LABEL_INCHES
    baselines = ", ".join(dict.fromkeys(panel.baseline for panel in panels))
    figure = Figure(figsize=(columns * _PANEL_INCHES[0], height), layout="constrained")
    marks = _marks(lines, panels)
    for index, panel in enumerate(panels):
        _draw_panel(figure.add_subplot(rows, columns, index + 1), lines, panel, marks)
    notes = ["Numbers: finetune_layers. Bars: 95 % interval."]
    notes += ["  ".join(f"{mark} {flag}" for flag, mark in marks.items())] if marks else []
    figure.suptitle("\n".join(notes), color=_GREY, fontsize=8.0)
    figure.legend(
        handles=[*map(_handle, lines), _baseline_handle(baselines)],
        loc="outside lower center",
        ncols=labels,
        frameon=False,
    )
    return figure


def _marks(lines: Sequence[Series], panels: Sequence[FigurePanel]) -> dict[str, str]:
    """A sign for each flag of points that is not said in the title of their panel."""
    said = {panel.key: panel.flags for panel in panels}
    points = (point for line in lines for point in line.points)
    flags = dict.fromkeys(flag for p in points for flag in p.flags if flag not in said[p.panel])
    return {flag: _SIGNS[place % len(_SIGNS)] for place, flag in enumerate(flags)}


def _draw_panel(
    axes: Axes, lines: Sequence[Series], panel: FigurePanel, marks: Mapping[str, str]
) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set_title(panel.title, fontweight="bold")
    axes.set_xscale("log")
    axes.set_xlabel("Trainable parameters (millions)")
    axes.set_ylabel(panel.score_title)
    axes.grid(color="0.92")
    axes.margins(x=0.08, y=0.1)
    for level in panel.baseline_scores:
        axes.axhline(level, color=_GREY, linestyle="--", linewidth=1)
    for line in lines:
        if points := [point for point in line.points if point.panel == panel.key]:
            _draw_line(axes, line, points, panel, marks)
    axes.autoscale_view()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _draw_line(
    axes: Axes,
    line: Series,
    points: Sequence[SeriesPoint],
    panel: FigurePanel,
    marks: Mapping[str, str],
) -> None:
    from matplotlib.transforms import ScaledTranslation

    inches = line.sidestep_points / 72
    moved = axes.transData + ScaledTranslation(inches, 0, axes.figure.dpi_scale_trans)
    axes.errorbar(
        [point.millions for point in points],
        [point.score for point in points],
        yerr=[
            [_length(point.low, point.score) for point in points],
            [_length(point.score, point.high) for point in points],
        ],
        transform=moved,
        **_look(line),
        elinewidth=0.8,
        capsize=2,
    )
    # what is moved by points does not tell the axes how far to reach
    reached = [(p.millions, y) for p in points for y in (p.score, p.low, p.high) if y is not None]
    axes.update_datalim(reached)
    for point in points:
        axes.annotate(
            point.layers + "".join(marks[f] for f in point.flags if f not in panel.flags),
            (point.millions, point.score),
            xytext=(line.sidestep_points + 3, 3),
            textcoords="offset points",
            color=line.colour,
            fontsize=8,
            fontweight="bold",
        )


def _length(low: float | None, high: float | None) -> float:
    """Of one half of an error bar, which is not drawn where it is not a number."""
    return nan if low is None or high is None else max(high - low, 0.0)


def _look(line: Series) -> dict[str, Any]:
    return {
        "color": line.colour,
        "linestyle": line.dashes,
        "linewidth": 1.3,
        "marker": line.marker,
        "markersize": 4.5,
        "markerfacecolor": "white" if line.hollow else line.colour,
    }


def _handle(line: Series) -> Line2D:
    from matplotlib.lines import Line2D

    return Line2D([], [], label=line.label, **_look(line))


def _baseline_handle(label: str) -> Line2D:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=_GREY, linestyle="--", linewidth=1, label=label)
