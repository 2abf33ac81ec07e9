"""What a figure has: panels, lines, their points and looks. No drawing here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.reporting.report_model import Report, ReportRow
from harness.reporting.score_columns import headline
from harness.results.flags import flag_name
from harness.tasks import TASKS
from harness.tasks.task import Metric

# colours that the colour-blind tell apart (Petroff 2021), greys last: baselines are grey too
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
_DASHES: tuple[str | tuple[int, tuple[int, ...]], ...] = (
    *("-", ":", "-.", (0, (5, 1)), (0, (1, 3)), (0, (7, 3))),
    *((0, (3, 1, 1, 1, 1, 1)), (0, (9, 2, 3, 2))),
)
_SIDESTEP_POINTS = 2.5
_NO_MARK = ("RANDOM", "UNSTABLE")
"""Flags that lines tell, and those on costs, which are not drawn."""


PanelKey = tuple[str, str]
"""A corpus and a task."""


@dataclass(frozen=True)
class SeriesPoint:
    """A row with a score, in the units of the axes."""

    panel: PanelKey
    layers: str
    """Its finetune_layers."""
    millions: float
    """Of parameters that train."""
    score: float
    """The headline metric of the task; shares in per cent."""
    low: float | None
    """The ends of its 95 % interval."""
    high: float | None
    flags: tuple[str, ...]
    """What qualifies the score, without counts; random weights are told by the line."""


@dataclass(frozen=True)
class FigurePanel:
    """One corpus, scored on one task."""

    key: PanelKey
    title: str
    """With its flags."""
    flags: tuple[str, ...]
    """Of its data, which hold for all of its points."""
    score_title: str
    baseline: str
    """The first of its task's baselines; the others stand in the table."""
    baseline_scores: tuple[float, ...]
    """What it scores; empty where that is not known."""


@dataclass(frozen=True)
class Series:
    """The rows that differ in corpus and finetune_layers alone; it looks the same everywhere."""

    backbone: str
    """With RANDOM where its weights are."""
    setting: str
    """What else tells it from the others, such as the loss; empty where nothing does."""
    colour: str
    marker: str
    dashes: str | tuple[int, tuple[int, ...]]
    hollow: bool
    """Random weights."""
    sidestep_points: float
    """How far to the right it is moved, so that error bars at one place can be told apart."""
    points: tuple[SeriesPoint, ...]


def panels_of(report: Report) -> list[FigurePanel]:
    """The panels of a report, in the order of its rows; only those with a point."""
    keys = dict.fromkeys(point.panel for row in report.rows for point in _points(row))
    return [_panel(key, report) for key in keys]


def series_of(report: Report) -> list[Series]:
    """The lines of a report: a colour for each backbone, dashes for each other setting."""
    by_name: dict[tuple[str, ...], list[ReportRow]] = {}
    for row in report.rows:
        if _points(row):
            by_name.setdefault(_name(row), []).append(row)
    backbones = list(dict.fromkeys(name[0] for name in by_name))
    settings = list(dict.fromkeys(name[1:] for name in by_name))
    return [
        _line(
            name,
            rows,
            (backbones.index(name[0]), settings.index(name[1:])),
            _SIDESTEP_POINTS * (index - (len(by_name) - 1) / 2),
        )
        for index, (name, rows) in enumerate(by_name.items())
    ]


def _panel(key: PanelKey, report: Report) -> FigurePanel:
    corpus, task = key
    metric, baseline = headline(task), TASKS[task].baselines[0]
    rows = [
        row
        for row in report.baselines
        if (row.corpus, row.task) == key and row.baseline == baseline
    ]
    flags = tuple(dict.fromkeys(flag for row in rows for flag in row.flags))
    return FigurePanel(
        key=key,
        title=f"{corpus} ({', '.join(flags)})" if flags else corpus,
        flags=flags,
        score_title=f"Test {metric.title}{' (%)' if metric.share else ''}",
        baseline=baseline,
        baseline_scores=tuple(_scale(metric) * row.scores[metric.name].mean for row in rows),
    )


def _points(row: ReportRow) -> tuple[SeriesPoint, ...]:
    """The point of a row, if it has a score."""
    metric = headline(row.task)
    score, scale = row.scores.get(metric.name), _scale(metric)
    if score is None or row.trainable_parameters is None:
        return ()
    interval = score.interval
    point = SeriesPoint(
        panel=(row.corpus, row.task),
        layers=str(row.finetune_layers),
        millions=row.trainable_parameters / 1e6,
        score=scale * score.mean,
        low=scale * interval.low if interval else None,
        high=scale * interval.high if interval else None,
        flags=tuple(name for name in map(flag_name, row.flags) if name not in _NO_MARK),
    )
    return (point,)


def _scale(metric: Metric) -> float:
    return 100 if metric.share else 1


def _line(
    name: tuple[str, ...], rows: Sequence[ReportRow], place: tuple[int, int], sidestep: float
) -> Series:
    backbone, setting = place
    random = any("RANDOM" in row.flags for row in rows)
    return Series(
        backbone=f"{name[0]} (RANDOM)" if random else name[0],
        setting=" · ".join(name[1:]),
        colour=_COLOURS[backbone % len(_COLOURS)],
        marker=_MARKERS[backbone // len(_COLOURS) % len(_MARKERS)],
        dashes=_DASHES[setting % len(_DASHES)],
        hollow=random,
        sidestep_points=sidestep,
        points=tuple(point for row in rows for point in _points(row)),
    )


def _name(row: ReportRow) -> tuple[str, ...]:
    return (row.backbone, *(str(value) for value in row.axes.values() if value is not None))
