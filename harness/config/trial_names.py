"""What tells trials apart beside corpus, backbone and layers, and what people read of each."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.config.axes import AXES, flat, short_name
from harness.specs import FinetuneLayers, Trial

Names = tuple[str, str, FinetuneLayers]
"""Corpus, backbone and finetune_layers of a trial."""

_NOT_COMPARED = {"corpus.root", "protocol.only_folds"}
_ALWAYS_NAMED = {"corpus.name", "backbone.name", "finetune_layers", "loss", "head.kind"}
"""What `Trial.describe` says, beside fold and seed."""


def names_of(trial: Trial) -> Names:
    """What heads the row of a trial."""
    return trial.corpus.name, trial.backbone.name, trial.finetune_layers


def settings_of(trial: Trial) -> dict[str, Any]:
    """All that decides the outcome of a trial but its fold and seed, by full names; hashable."""
    tree = trial.model_dump(mode="json")
    parts = {
        f"{part}.{key}": value if isinstance(value, str | int | None) else json.dumps(value)
        for part in ("corpus", "protocol", "backbone")
        for key, value in tree[part].items()
        if f"{part}.{key}" not in _NOT_COMPARED
    }
    axes = {axis: value for axis, value in flat(trial).items() if axis in AXES and axis != "seed"}
    choose = json.dumps(trial.choose) if trial.choose else None
    rest = {"limit_utterances": trial.limit_utterances, "task": trial.task, "choose": choose}
    return axes | parts | rest


def varying(settings: Iterable[tuple[Names, Mapping[str, Any]]]) -> list[str]:
    """The settings that differ between trials of one corpus, backbone and finetune_layers.

    What differs between two backbones or corpora alone, their names say already.
    """
    values: dict[tuple[Names, str], set[Any]] = defaultdict(set)
    for names, own in settings:
        for key, value in own.items():
            values[names, key].add(value)
    return list(dict.fromkeys(key for (_, key), seen in values.items() if len(seen) > 1))


@dataclass(frozen=True)
class TrialNames:
    """Lines for people in which no two of some trials read alike."""

    settings: tuple[str, ...] = ()
    """What is said of each beside `Trial.describe`, by full names."""

    @classmethod
    def among(cls, trials: Iterable[Trial]) -> TrialNames:
        """Those that tell these trials apart."""
        found = varying((names_of(trial), settings_of(trial)) for trial in trials)
        return cls(tuple(key for key in found if key not in _ALWAYS_NAMED))

    def of(self, trial: Trial) -> str:
        """One short line.

        >>> from harness.specs import BackboneSpec, CorpusSpec, ProtocolSpec
        >>> spec = {"corpus": CorpusSpec(name="ravdess"), "protocol": ProtocolSpec(), "fold": 1}
        >>> one = Trial(**spec, backbone=BackboneSpec(name="wavlm-base"))
        >>> print(TrialNames(("head.dropout",)).of(one))
        ravdess fold 1 · wavlm-base · 0 layers · weighted_cross_entropy · seed 1 · dropout 0.5
        """
        if not self.settings:
            return trial.describe()
        own = settings_of(trial)
        said = (f"{short_name(key)} {_text(own[key])}" for key in self.settings)
        return " · ".join([trial.describe(), *said])


PLAIN_NAMES = TrialNames()
"""Of trials that nothing else tells apart."""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
