"""Records gathered into groups of trials that differ in fold and seed alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backbones import BACKBONES
from harness.config.axes import short_name
from harness.config.trial_names import names_of, settings_of, varying
from harness.data.corpora import CORPORA
from harness.results.records import Record
from harness.specs import FinetuneLayers, Trial


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
    settings = {name: settings_of(trial) for name, trial in trials.items()}
    differing = varying((names_of(trials[name]), own) for name, own in settings.items())
    members: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for name, trial in trials.items():
        values = tuple(settings[name][key] for key in differing)
        members[(*names_of(trial), *values)].append(name)
    groups = [
        _grouped(names, trials, found, dict(zip(differing, key[3:], strict=True)))
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
    corpus, backbone, layers = names_of(trials[ordered[0]])
    return TrialGroup(
        corpus=corpus,
        backbone=backbone,
        finetune_layers=layers,
        axes={short_name(key): value for key, value in axes.items()},
        trials=tuple(trials[name] for name in ordered),
        records=tuple(found[name] for name in ordered if name in found),
    )


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
