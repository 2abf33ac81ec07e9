"""Records gathered into groups of trials that differ in fold and seed alone."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backbones import BACKBONES
from harness.config.axes import AXES, flat, short_name
from harness.data.corpora import CORPORA
from harness.results.records import Record
from harness.specs import FinetuneLayers, Trial

_Names = tuple[str, str, FinetuneLayers]


@dataclass(frozen=True)
class TrialGroup:
    """Trials that differ in fold and seed alone, planned and finished: a row of a report."""

    corpus: str
    backbone: str
    finetune_layers: FinetuneLayers
    axes: dict[str, Any]
    """What else tells the groups apart, such as the loss, by its short name."""
    trials: tuple[Trial, ...]
    """Every trial that is planned or has a record."""
    records: tuple[Record, ...]
    """The outcomes that are there, failed ones included."""

    @property
    def name(self) -> str:
        """What tells it apart from the others on its corpus."""
        return row_name(self.backbone, self.finetune_layers, self.axes)

    @property
    def task(self) -> str:
        """What the trials predict: a name in `harness.tasks.TASKS`."""
        return self.trials[0].task

    @property
    def finished(self) -> tuple[Record, ...]:
        """The records that ended well."""
        return tuple(record for record in self.records if record.status == "ok")


def row_name(backbone: str, layers: FinetuneLayers, axes: Mapping[str, Any]) -> str:
    """What people call a row.

    >>> row_name("wavlm-base", 2, {"loss": "dr"})
    'wavlm-base · 2 layers · loss dr'
    """
    counted = "1 layer" if layers == 1 else f"{layers} layers"
    return " · ".join([backbone, counted, *(f"{name} {value}" for name, value in axes.items())])


def group_trials(records: Iterable[Record], planned: Iterable[Trial] = ()) -> list[TrialGroup]:
    """Groups in the order of corpora, of the table of backbones and of finetune_layers.

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
        members[(*_names(trial), *values)].append(name)
    groups = [
        _grouped(names, trials, found, dict(zip(varying, key[3:], strict=True)))
        for key, names in members.items()
    ]
    return sorted(groups, key=_group_key)


def _grouped(
    names: Sequence[str],
    trials: Mapping[str, Trial],
    found: Mapping[str, Record],
    axes: dict[str, Any],
) -> TrialGroup:
    # by the ids of the records: once a default has changed, an older trial's words give another
    ordered = sorted(names, key=lambda name: (trials[name].fold, trials[name].seed))
    corpus, backbone, layers = _names(trials[ordered[0]])
    return TrialGroup(
        corpus=corpus,
        backbone=backbone,
        finetune_layers=layers,
        axes={short_name(key): value for key, value in axes.items()},
        trials=tuple(trials[name] for name in ordered),
        records=tuple(found[name] for name in ordered if name in found),
    )


def _names(trial: Trial) -> _Names:
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
    choose = json.dumps(trial.choose) if trial.choose else None
    rest = {"limit_utterances": trial.limit_utterances, "task": trial.task, "choose": choose}
    return axes | parts | rest


def _varying(trials: dict[str, Trial], identities: dict[str, dict[str, Any]]) -> list[str]:
    # what differs between two backbones or corpora alone, their names say already
    values: dict[tuple[_Names, str], set[Any]] = defaultdict(set)
    for name, trial in trials.items():
        for key, value in identities[name].items():
            values[_names(trial), key].add(value)
    return list(dict.fromkeys(key for (_, key), seen in values.items() if len(seen) > 1))


def backbone_key(backbone: str, finetune_layers: FinetuneLayers) -> tuple[Any, ...]:
    """Sorts rows: in the order of the table of backbones, then few layers before many."""
    layers = float("inf") if finetune_layers == "all" else finetune_layers
    return (*_rank(backbone, BACKBONES), layers)


def _group_key(group: TrialGroup) -> tuple[Any, ...]:
    return (
        *_rank(group.corpus, CORPORA),
        *backbone_key(group.backbone, group.finetune_layers),
        str(list(group.axes.values())),
    )


def _rank(name: str, table: Iterable[str]) -> tuple[int, str]:
    names = list(table)
    return names.index(name) if name in names else len(names), name
