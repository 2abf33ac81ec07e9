"""Quality against trainable parameters, drawn. What is drawn is computed elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from harness.files import atomic_path
from harness.reporting.figure_series import Series, series_of
from harness.results.store import REPORT

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
_STYLE = {
    "svg.hashsalt": "harness",  # ids of elements are the same in every run
    "svg.fonttype": "none",  # text stays text
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 9.0,
}


def write_figures(folder: Path, table: pd.DataFrame) -> tuple[Path, ...]:
    """Write report/quality.svg and .png under a suite's results; nothing if no cell has a score.

    One panel per corpus: test UAR against trainable parameters, a line per backbone, a point
    per finetune_layers with its 95 % interval where there is one, and chance.
    """
    if not (lines := series_of(table)):
        return ()
    from matplotlib import style

    with style.context(["default", _STYLE]):
        figure = _figure(lines, table)
        return tuple(_saved(figure, folder / REPORT / f"quality.{form}") for form in FORMATS)


def _saved(figure: Figure, path: Path) -> Path:
    # no date and no version, so that equal records give equal files
    undated = {"Date": None} if path.suffix == ".svg" else {"Software": None}
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], dpi=160, metadata=undated)
    return path


def _figure(lines: Sequence[Series], table: pd.DataFrame) -> Figure:
    from matplotlib.figure import Figure

    scored = {corpus for line in lines for corpus in line.groups["corpus"]}
    corpora = [corpus for corpus in dict.fromkeys(table["corpus"]) if corpus in scored]
    columns = min(len(corpora), _PANELS_ABREAST)
    rows = ceil(len(corpora) / columns)
    labels = columns * _LABELS_ABREAST
    height = rows * _PANEL_INCHES[1] + ceil((len(lines) + 1) / labels) * _LABEL_INCHES
    figure = Figure(figsize=(columns * _PANEL_INCHES[0], height), layout="constrained")
    for index, corpus in enumerate(corpora):
        panel = figure.add_subplot(rows, columns, index + 1)
        _draw_panel(panel, lines, table[table["corpus"] == corpus])
    figure.suptitle("Numbers: finetune_layers. Bars: 95 % interval.", color=_GREY, fontsize=8.0)
    figure.legend(
        handles=[*map(_handle, lines), _chance_handle()],
        loc="outside lower center",
        ncols=labels,
        frameon=False,
    )
    return figure


def _draw_panel(panel: Axes, lines: Sequence[Series], rows: pd.DataFrame) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    chance = rows[rows["backbone"] == "chance"]
    told = ", ".join(mark for mark in chance["flags"] if mark)
    corpus = rows["corpus"].iloc[0]
    panel.set_title(f"{corpus} ({told})" if told else corpus, fontweight="bold")
    panel.set_xscale("log")
    panel.set_xlabel("Trainable parameters (millions)")
    panel.set_ylabel("Test UAR (%)")
    panel.grid(color="0.92")
    panel.margins(x=0.08, y=0.1)
    for score in chance["uar"]:
        panel.axhline(100 * score, color=_GREY, linestyle="--", linewidth=1)
    for line in lines:
        groups = line.groups[line.groups["corpus"] == corpus]
        if not groups.empty:
            _draw_line(panel, line, groups)
    panel.autoscale_view()
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    panel.xaxis.set_minor_formatter(NullFormatter())


def _draw_line(panel: Axes, line: Series, groups: pd.DataFrame) -> None:
    from matplotlib.transforms import ScaledTranslation

    inches = line.sidestep_points / 72
    moved = panel.transData + ScaledTranslation(inches, 0, panel.figure.dpi_scale_trans)
    millions = groups["trainable_parameters"].astype(float) / 1e6
    uar = 100 * groups["uar"].astype(float)
    low, high = (100 * groups[f"uar_{end}"].astype(float) for end in ("low", "high"))
    panel.errorbar(
        millions,
        uar,
        yerr=[(uar - low).clip(lower=0), (high - uar).clip(lower=0)],
        transform=moved,
        **_look(line),
        elinewidth=0.8,
        capsize=2,
    )
    # what is moved by points does not tell the axes how far to reach
    ends = zip([*millions] * 3, [*uar, *low.fillna(uar), *high.fillna(uar)], strict=True)
    panel.update_datalim(list(ends))
    for x, y, layers in zip(millions, uar, groups["finetune_layers"], strict=True):
        panel.annotate(
            str(layers),
            (x, y),
            xytext=(line.sidestep_points + 3, 3),
            textcoords="offset points",
            color=line.colour,
            fontsize=8,
            fontweight="bold",
        )


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


def _chance_handle() -> Line2D:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=_GREY, linestyle="--", linewidth=1, label="chance")
