"""Records gathered into cells: trials that differ in fold and seed alone."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from backbones import BACKBONES
from harness.config.axes import AXES, flat, short_name
from harness.data.corpora import CORPORA
from harness.results.records import Record
from harness.results.statistics import METRICS
from harness.specs import FinetuneLayers, Trial

Predictions = Callable[[str], pd.DataFrame]
"""Reads the predictions of a trial id; FileNotFoundError where there are none."""

_Group = tuple[str, str, FinetuneLayers]


@dataclass(frozen=True)
class TrialGroup:
    """One row of a comparison: its trials, planned and finished."""

    corpus: str
    backbone: str
    finetune_layers: FinetuneLayers
    axes: dict[str, Any]
    """What else tells the rows of this comparison apart, such as the loss."""
    trials: tuple[Trial, ...]
    """Every trial that is planned or has a record."""
    records: tuple[Record, ...]
    """The outcomes that are there, failed ones included."""

    @property
    def finished(self) -> tuple[Record, ...]:
        """The records that ended well."""
        return tuple(record for record in self.records if record.status == "ok")


def group_trials(records: Iterable[Record], planned: Iterable[Trial] = ()) -> list[TrialGroup]:
    """Cells in the order of corpora, of the table of backbones and of finetune_layers.

    Args:
        records: the outcomes
        planned: the trials there ought to be; those of the records when left out
    """
    found = {record.trial_id: record for record in records}
    trials = {trial.trial_id: trial for trial in planned}
    trials |= {name: record.trial for name, record in found.items()}
    identities = {name: _identity(trial) for name, trial in trials.items()}
    varying = _varying(trials, identities)
    members: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for name, trial in trials.items():
        values = tuple(identities[name][key] for key in varying)
        members[(*_group(trial), *values)].append(name)
    groups = [
        _cell([trials[name] for name in names], found, dict(zip(varying, key[3:], strict=True)))
        for key, names in members.items()
    ]
    return sorted(groups, key=_place)


def _cell(trials: Sequence[Trial], found: dict[str, Record], axes: dict[str, Any]) -> TrialGroup:
    corpus, backbone, layers = _group(trials[0])
    ordered = tuple(sorted(trials, key=lambda trial: (trial.fold, trial.seed)))
    records = tuple(found[trial.trial_id] for trial in ordered if trial.trial_id in found)
    named = {short_name(key): value for key, value in axes.items()}
    return TrialGroup(corpus, backbone, layers, named, ordered, records)


def _group(trial: Trial) -> _Group:
    return trial.corpus.name, trial.backbone.name, trial.finetune_layers


def _identity(trial: Trial) -> dict[str, Any]:
    tree = trial.model_dump(mode="json")
    parts = {
        f"{part}.{key}": value if isinstance(value, str | int | None) else json.dumps(value)
        for part in ("corpus", "protocol", "backbone")
        for key, value in tree[part].items()
        if f"{part}.{key}" not in ("corpus.root", "protocol.only_folds")
    }
    axes = {axis: value for axis, value in flat(trial).items() if axis in AXES and axis != "seed"}
    return axes | parts | {"limit_utterances": trial.limit_utterances}


def _varying(trials: dict[str, Trial], identities: dict[str, dict[str, Any]]) -> list[str]:
    # what differs between two backbones or corpora only is told by their names already
    values: dict[tuple[_Group, str], set[Any]] = defaultdict(set)
    for name, trial in trials.items():
        for key, value in identities[name].items():
            values[_group(trial), key].add(value)
    return list(dict.fromkeys(key for (_, key), seen in values.items() if len(seen) > 1))


def scores_on_test(records: Iterable[Record]) -> pd.DataFrame:
    """One row a trial that ended well: `fold`, `seed` and every metric on test."""
    rows = [
        {"fold": record.trial.fold, "seed": record.trial.seed}
        | {metric: getattr(record.metrics["test"], metric) for metric in METRICS}
        for record in records
    ]
    return pd.DataFrame(rows, columns=["fold", "seed", *METRICS])


def predictions_on_test(
    records: Iterable[Record], predictions: Predictions
) -> list[list[pd.DataFrame]]:
    """Of each seed, the predictions of its folds on test.

    Raises:
        FileNotFoundError: a trial left none.
    """
    by_seed: dict[int, list[pd.DataFrame]] = {}
    for record in records:
        frame = predictions(record.trial_id)
        by_seed.setdefault(record.trial.seed, []).append(frame[frame["split"] == "test"])
    return list(by_seed.values())


def standing(backbone: str, finetune_layers: FinetuneLayers) -> tuple[Any, ...]:
    """What rows are sorted by: the table of backbones, then few layers before many."""
    layers = float("inf") if finetune_layers == "all" else finetune_layers
    return (*_rank(backbone, BACKBONES), layers)


def _place(cell: TrialGroup) -> tuple[Any, ...]:
    return (
        *_rank(cell.corpus, CORPORA),
        *standing(cell.backbone, cell.finetune_layers),
        str(list(cell.axes.values())),
    )


def _rank(name: str, table: Iterable[str]) -> tuple[int, str]:
    names = list(table)
    return names.index(name) if name in names else len(names), name
