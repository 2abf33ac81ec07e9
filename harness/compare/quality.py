"""How far the scores of cells changed, with the confidence of the difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pandas as pd

from harness.analysis.statistics import METRICS, Interval, differences, spread
from harness.compare.change import Change
from harness.compare.pairs import Pair
from harness.records.schema import Record
from harness.report.cells import gather

Predictions = Callable[[str], pd.DataFrame]
"""Reads the predictions of a trial id; FileNotFoundError where there are none."""


def quality_changes(
    pairs: Sequence[Pair], base: Predictions, head: Predictions
) -> Iterator[Change]:
    """One change for each metric of each cell, over the trials that both folders have."""
    partner = {pair.base.trial_id: pair.head for pair in pairs}
    for cell in gather([pair.base for pair in pairs]):
        before = cell.finished
        after = [partner[record.trial_id] for record in before]
        axes = "".join(f" · {name} {value}" for name, value in cell.axes.items())
        what = f"{cell.corpus} · {cell.backbone} · {cell.finetune_layers} layers{axes}"
        certain = _intervals(before, after, base, head)
        for metric in METRICS:
            old, new = _mean(before, metric), _mean(after, metric)
            interval = certain.get(metric)
            real = None if interval is None else not interval.low <= 0 <= interval.high
            yield Change(what, metric, old, new, real, _shown(interval))


def _mean(records: Sequence[Record], metric: str) -> float:
    rows = [
        {
            "fold": record.trial.fold,
            "seed": record.trial.seed,
            metric: getattr(record.metrics["test"], metric),
        }
        for record in records
    ]
    return spread(pd.DataFrame(rows), metric).mean


def _intervals(
    before: Sequence[Record], after: Sequence[Record], base: Predictions, head: Predictions
) -> dict[str, Interval]:
    """Of the differences; empty where predictions are missing or there is but one speaker."""
    try:
        return differences(_by_seed(before, base), _by_seed(after, head)) or {}
    except (FileNotFoundError, ValueError):  # ValueError: the classes are no longer the same
        return {}


def _by_seed(records: Sequence[Record], predictions: Predictions) -> list[list[pd.DataFrame]]:
    found: dict[int, list[pd.DataFrame]] = {}
    for record in records:
        frame = predictions(record.trial_id)
        found.setdefault(record.trial.seed, []).append(frame[frame["split"] == "test"])
    return list(found.values())


def _shown(interval: Interval | None) -> str:
    return "" if interval is None else f"95 %: [{interval.low:+.3f}, {interval.high:+.3f}]"
