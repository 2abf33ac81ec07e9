"""What keeps the rows of one corpus from being set side by side, though each is right by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from harness.files import content_digest
from harness.results.records import Record
from harness.results.trial_groups import TrialGroup
from harness.results.versions import PACKAGES

Traits = frozenset[object]


def row_flags(groups: Sequence[TrialGroup]) -> list[tuple[str, ...]]:
    """The flags of each group that come from comparing it with the others on its corpus and task.

    A group is flagged where it differs from most of them; of as many, from those with the most.
    """
    folds = _unusual(groups, lambda group: _traits(group, _tested_on))
    circumstances = _unusual(groups, _circumstances)
    return [
        (*["FOLDS DIFFER"] * (place in folds), *["MIXED ROWS"] * (place in circumstances))
        for place in range(len(groups))
    ]


def _unusual(groups: Sequence[TrialGroup], traits: Callable[[TrialGroup], Traits]) -> set[int]:
    """The places of groups whose traits are not the usual ones of their corpus and task."""
    found = {place: traits(group) for place, group in enumerate(groups) if group.finished}
    usual = {
        table: _usual(found[place] for place in found if _table(groups[place]) == table)
        for table in {_table(groups[place]) for place in found}
    }
    return {place for place, own in found.items() if own != usual[_table(groups[place])]}


def _usual(values: Iterable[Traits]) -> Traits:
    counts = Counter(values)
    return max(counts, key=lambda value: (counts[value], len(value)))


def _table(group: TrialGroup) -> tuple[str, str]:
    return group.corpus, group.task


def _traits(group: TrialGroup, trait: Callable[[Record], object]) -> Traits:
    return frozenset(map(trait, group.finished))


def _tested_on(record: Record) -> object:
    """What decides on which utterances a trial was tested."""
    if record.scored is not None and record.scored.corpus is not None:
        return record.digests and record.digests.split  # all of another corpus, whatever the fold
    trial = record.trial
    corpus = content_digest(trial.corpus.model_dump(mode="json", exclude={"root"}))
    return corpus, trial.limit_utterances, trial.protocol.folds, trial.fold


def _circumstances(group: TrialGroup) -> Traits:
    """Precision, device and shared packages; what the row itself names is no surprise."""
    named = "precision" in group.axes

    def of(record: Record) -> object:
        packages = record.fingerprint.packages if record.fingerprint else {}
        return (
            record.fit.precision if record.fit and not named else None,
            record.environment.get("device_name"),
            tuple(packages.get(name) for name in PACKAGES),
        )

    return _traits(group, of)
