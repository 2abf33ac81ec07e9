"""Which trials of two results folders belong together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.config.axes import flat
from harness.results.group_scores import Predictions
from harness.results.provenance import changes_between, digest_changes, fingerprint_in
from harness.results.records import Record

Key = tuple[Hashable, ...]

COMMON_COLUMNS = ("utterance_id", "split", "speaker")
"""With which predictions begin, whatever the task."""


@dataclass(frozen=True)
class TrialPair:
    """A trial that both folders have, and what it rested on that differs."""

    base: Record
    head: Record
    changes: tuple[str, ...]


@dataclass(frozen=True)
class TrialPairs:
    """The finished trials of two folders."""

    both: tuple[TrialPair, ...]
    only_base: tuple[Record, ...]
    only_head: tuple[Record, ...]

    @property
    def changed(self) -> tuple[TrialPair, ...]:
        """Those in both that do not rest on the same."""
        return tuple(pair for pair in self.both if pair.changes)


def same_test_set(trials: TrialPair, base: Predictions, head: Predictions) -> bool:
    """Whether both trials were scored on the same utterances with the same targets.

    Args:
        trials: two of them
        base: gives the predictions of the first
        head: gives those of the second
    """
    one, other = trials.base, trials.head
    if one.digests and other.digests and one.digests.split == other.digests.split:
        return True
    try:
        before, after = (_test_set(read(r)) for r, read in ((one, base), (other, head)))
    except FileNotFoundError:
        return one.trial_id == other.trial_id
    return before == after


def _test_set(predictions: pd.DataFrame) -> dict[str, object]:
    """The target of each utterance on test; it is the first of the task's columns."""
    test = predictions[predictions["split"] == "test"]
    return dict(zip(test["utterance_id"], test.iloc[:, len(COMMON_COLUMNS)], strict=True))


def pair(base: Sequence[Record], head: Sequence[Record]) -> TrialPairs:
    """Pair trials of the same intent, and those left over that are alone with their label.

    A label is a trial's corpus, fold, backbone, finetune_layers, loss and seed: so a trial whose
    rates were changed finds the one it came from. Trials that failed are left out.
    """
    before = {record.trial_id: record for record in base if record.status == "ok"}
    after = {record.trial_id: record for record in head if record.status == "ok"}
    known = [(before.pop(name), after.pop(name)) for name in list(before) if name in after]
    old, new = _alone(before), _alone(after)
    for key in old.keys() & new.keys():
        known.append((before.pop(old[key].trial_id), after.pop(new[key].trial_id)))
    both = [TrialPair(one, other, _changes(one, other)) for one, other in known]
    both.sort(key=lambda pair: _key(pair.base))
    return TrialPairs(tuple(both), tuple(before.values()), tuple(after.values()))


def _alone(records: dict[str, Record]) -> dict[Key, Record]:
    uses = Counter(map(_key, records.values()))
    return {_key(r): r for r in records.values() if uses[_key(r)] == 1}


def _key(record: Record) -> Key:
    trial = record.trial
    layers = str(trial.finetune_layers)
    return trial.corpus.name, trial.backbone.name, layers, trial.fold, trial.loss, trial.seed


def _changes(base: Record, head: Record) -> tuple[str, ...]:
    settings = flat(base.trial), flat(head.trial)
    changed = [name for name in settings[0] if settings[0][name] != settings[1].get(name)]
    if base.digests and head.digests:
        changed += digest_changes(base.digests, head.digests)
        changed += changes_between(fingerprint_in(base), fingerprint_in(head))
    return tuple(changed)
