"""Quality against trainable parameters, drawn. What is drawn is computed elsewhere."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil, nan
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from harness.files import atomic_path
from harness.reporting.figure_series import (
    FigurePanel,
    Series,
    SeriesPoint,
    panels_of,
    series_of,
)
from harness.reporting.formats import printable
from harness.reporting.label_places import Box, Label, LabelPlace, place_labels
from harness.reporting.report_model import Report

if TYPE_CHECKING:  # matplotlib takes a second to import: only where one draws
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.text import Annotation
    from matplotlib.transforms import Transform

FORMATS = ("svg", "png")

_PANELS_ABREAST = 2
_PANEL_INCHES = (5.6, 3.8)
_MOST_PANEL_INCHES = 6.5
_LINES_IN_PANEL = 8
"""More of them make panels higher."""
_SIGN_INCHES = 0.085
"""Of a letter in the legend."""
_HANDLE_INCHES = 0.6
_LABEL_INCHES = 0.22
_LABEL_POINTS = 7.5
_MARK_POINTS = 4.5
_GREY = "0.45"
_SIGNS = "*†‡§¶#"
_STYLE = {
    "svg.hashsalt": "harness",  # ids of elements are the same in every run
    "svg.fonttype": "none",  # text stays text
    "text.parse_math": False,  # a name may hold dollar signs
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
    return save_figure(lambda: _figure(lines, panels_of(report)), folder, "quality")


def save_figure(make: Callable[[], Figure], folder: Path, name: str) -> tuple[Path, ...]:
    """Write a figure in all formats, in the style of the harness.

    Args:
        make: draws it
        folder: where to
        name: of the files, without ending
    """
    from matplotlib import style

    with style.context(["default", _STYLE]), warnings.catch_warnings():
        # a name may hold signs that the font lacks; the SVG has them as text all the same
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        figure = make()
        return tuple(_saved(figure, folder / f"{name}.{form}") for form in FORMATS)


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
    width, panel_height = columns * _PANEL_INCHES[0], _panel_height(lines)
    marks = _marks(lines, panels)
    handles = [*_handles(lines), *_other_handles(panels, marks)]
    labels = max(int(width / _legend_inches(handles)), 1)
    height = rows * panel_height + ceil(len(handles) / labels) * _LABEL_INCHES
    figure = Figure(figsize=(width, height), layout="constrained")
    for index, panel in enumerate(panels):
        _draw_panel(figure.add_subplot(rows, columns, index + 1), lines, panel)
    note = figure.suptitle(_NOTE, color=_GREY, fontsize=8.0)
    figure.legend(handles=handles, loc="outside lower center", ncols=labels, frameon=False)
    figure.draw_without_rendering()  # only then it is known where points lie
    placed = [
        _label_points(axes, lines, panel, marks)
        for axes, panel in zip(figure.axes, panels, strict=True)
    ]
    if not all(placed):
        note.set_text(f"{_NOTE} Those that found no room are left out.")
    return figure


_NOTE = "Numbers: finetune_layers. Bars: 95 % interval."


def _panel_height(lines: Sequence[Series]) -> float:
    more = max(len(lines) - _LINES_IN_PANEL, 0) / _LINES_IN_PANEL
    return min(_PANEL_INCHES[1] * (1 + more / 2), _MOST_PANEL_INCHES)


def _marks(lines: Sequence[Series], panels: Sequence[FigurePanel]) -> dict[str, str]:
    """A sign for each flag of points that is not said in the title of their panel."""
    said = {panel.key: panel.flags for panel in panels}
    points = (point for line in lines for point in line.points)
    flags = dict.fromkeys(flag for p in points for flag in p.flags if flag not in said[p.panel])
    return {flag: _SIGNS[place % len(_SIGNS)] for place, flag in enumerate(flags)}


def _draw_panel(axes: Axes, lines: Sequence[Series], panel: FigurePanel) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set_title(fill(printable(panel.title), 60), fontweight="bold")
    axes.set_xscale("log")
    axes.set_xlabel("Trainable parameters (millions)")
    axes.set_ylabel(panel.score_title)
    axes.grid(color="0.92")
    axes.margins(x=0.08, y=0.1)
    for level in panel.baseline_scores:
        axes.axhline(level, color=_GREY, linestyle="--", linewidth=1)
    for line, points in _in_panel(lines, panel):
        _draw_line(axes, line, points, panel)
    axes.autoscale_view()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _in_panel(
    lines: Sequence[Series], panel: FigurePanel
) -> Iterator[tuple[Series, list[SeriesPoint]]]:
    for line in lines:
        if points := [point for point in line.points if point.panel == panel.key]:
            yield line, points


def _draw_line(axes: Axes, line: Series, points: Sequence[SeriesPoint], panel: FigurePanel) -> None:
    axes.errorbar(
        [point.millions for point in points],
        [point.score for point in points],
        yerr=[
            [_length(point.low, point.score) for point in points],
            [_length(point.score, point.high) for point in points],
        ],
        transform=_moved(axes, line),
        **_look(line),
        elinewidth=0.8,
        capsize=2,
    )
    flagged = [point for point in points if _flags(point, panel)]
    axes.plot(
        [point.millions for point in flagged],
        [point.score for point in flagged],
        transform=_moved(axes, line),
        **_RING,
    )
    # what is moved by points does not tell the axes how far to reach
    reached = [(p.millions, y) for p in points for y in (p.score, p.low, p.high) if y is not None]
    axes.update_datalim(reached)


def _moved(axes: Axes, line: Series) -> Transform:
    from matplotlib.transforms import ScaledTranslation

    inches = line.sidestep_points / 72
    return axes.transData + ScaledTranslation(inches, 0, axes.figure.dpi_scale_trans)


def _label_points(
    axes: Axes, lines: Sequence[Series], panel: FigurePanel, marks: Mapping[str, str]
) -> bool:
    """Write each point's layers beside it where there is room; whether there was for all."""
    drawn = [(line, point) for line, points in _in_panel(lines, panel) for point in points]
    signs = ["".join(marks[flag] for flag in _flags(point, panel)) for _, point in drawn]
    texts = [
        axes.annotate(point.layers + sign, (point.millions, point.score), **_label_look(axes, line))
        for (line, point), sign in zip(drawn, signs, strict=True)
    ]
    scale = 72 / axes.figure.dpi
    labels = []
    for text, (line, _), sign in zip(texts, drawn, signs, strict=True):
        (x, y), size = _moved(axes, line).transform(text.xy) * scale, text.get_window_extent()
        labels.append(Label(x, y, size.width * scale, size.height * scale, first=bool(sign)))
    half = _MARK_POINTS / 2
    taken = [Box(own.x - half, own.y - half, own.x + half, own.y + half) for own in labels]
    area = Box(*(side * scale for side in axes.get_window_extent().extents))
    places = place_labels(labels, taken, area)
    for text, (line, _), label, place in zip(texts, drawn, labels, places, strict=True):
        _put(axes, line, text, label, place)
    return None not in places


def _put(
    axes: Axes, line: Series, text: Annotation, label: Label, place: LabelPlace | None
) -> None:
    """Move a label to its place, with a line to its point where that is not beside it."""
    if place is None:
        text.remove()
        return
    x, y = place.box.middle
    text.set_position((x - label.x, y - label.y))
    if place.far:
        arrow = {"arrowstyle": "-", "color": line.colour, "linewidth": 0.5}
        look = _label_look(axes, line) | {"xytext": text.get_position(), "arrowprops": arrow}
        axes.annotate("", text.xy, zorder=2, **look)


def _label_look(axes: Axes, line: Series) -> dict[str, Any]:
    return {
        "xycoords": _moved(axes, line),
        "xytext": (0, 0),
        "textcoords": "offset points",
        "color": line.colour,
        "fontsize": _LABEL_POINTS,
        "fontweight": "bold",
        "ha": "center",
        "va": "center",
        "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.2},
        "in_layout": False,  # the layout is settled, and labels keep to the axes
    }


def _flags(point: SeriesPoint, panel: FigurePanel) -> list[str]:
    """Those that the panel's title does not say of all points."""
    return [flag for flag in point.flags if flag not in panel.flags]


def _length(low: float | None, high: float | None) -> float:
    """Of one half of an error bar, which is not drawn where it is not a number."""
    return nan if low is None or high is None else max(high - low, 0.0)


_RING: dict[str, Any] = {
    "linestyle": "none",
    "marker": "o",
    "markersize": 8.0,
    "markerfacecolor": "none",
    "markeredgecolor": "0.2",
    "markeredgewidth": 0.8,
}
"""Around a point that is qualified."""


def _look(line: Series) -> dict[str, Any]:
    return {
        "color": line.colour,
        "linestyle": line.dashes,
        "linewidth": 1.3,
        "marker": line.marker,
        "markersize": _MARK_POINTS,
        "markerfacecolor": "white" if line.hollow else line.colour,
    }


def _handles(lines: Sequence[Series]) -> list[Line2D]:
    """A colour for each backbone and, where there are several, dashes for each setting."""
    settings = {line.setting: line for line in lines}
    backbones = {line.backbone: line for line in reversed(lines)}
    found = [
        _handle(name, **_look(line) | ({"linestyle": "-"} if len(settings) > 1 else {}))
        for name, line in reversed(backbones.items())
    ]
    if len(settings) > 1:
        dashes = {name: line.dashes for name, line in settings.items()}
        found += [_handle(name, color=_GREY, linestyle=dash) for name, dash in dashes.items()]
    return found


def _other_handles(panels: Sequence[FigurePanel], marks: Mapping[str, str]) -> list[Line2D]:
    baselines = ", ".join(dict.fromkeys(panel.baseline for panel in panels))
    found = [_handle(baselines, color=_GREY, linestyle="--", linewidth=1)]
    return [*found, *(_handle(f"{sign} {flag}", **_RING) for flag, sign in marks.items())]


def _handle(label: str, **look: Any) -> Line2D:
    from matplotlib.lines import Line2D

    shown = fill(printable(label), 60)
    # what begins with an underscore is left out of legends
    return Line2D([], [], label=f" {shown}" if shown.startswith("_") else shown, **look)


def _legend_inches(handles: Sequence[Line2D]) -> float:
    """Of the widest entry."""
    longest = max(len(part) for h in handles for part in str(h.get_label()).splitlines())
    return _HANDLE_INCHES + longest * _SIGN_INCHES
