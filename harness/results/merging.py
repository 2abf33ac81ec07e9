"""Joining the results of runs of one suite that knew nothing of each other, such as its shards."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TypeVar

from harness.errors import ResultsError
from harness.results.current_inputs import CurrentInputs
from harness.results.records import CostRecord, Record
from harness.results.seen_statements import SeenStatements
from harness.results.store import ResultsStore
from harness.specs import Selection, Trial

AnyRecord = TypeVar("AnyRecord", Record, CostRecord)

_UNFINISHED = ".merging"


@dataclass(frozen=True)
class Merged:
    """What a merge found and did."""

    trials: int
    """Outcomes that were copied."""
    costs: int
    """Measurements that were copied."""
    passed_over: int
    """Outcomes and measurements in whose place there is a better one, or a newer."""
    missing: int
    """Trials of the suite without an outcome."""

    def line(self) -> str:
        """What it did, on one line.

        >>> Merged(trials=4, costs=2, passed_over=1, missing=2).line()
        '4 trials and 2 costs copied, 1 passed over for newer or better ones, 2 trials missing'
        """
        parts = [f"{self.trials} trials and {self.costs} costs copied"]
        if self.passed_over:
            parts.append(f"{self.passed_over} passed over for newer or better ones")
        if self.missing:
            parts.append(f"{self.missing} trials missing")
        return ", ".join(parts)


def merge_into(target: ResultsStore, sources: Sequence[ResultsStore]) -> Merged:
    """Copy into one folder what several hold; none of them is changed.

    Of a trial that has several outcomes, the newest of those that ended well counts. One in the
    target that makes way is set aside.

    Args:
        target: results of a suite, or an empty folder
        sources: results of the same suite

    Raises:
        ResultsError: they are of different suites, or rest on different data or weights.
    """
    known = [target, *sources]
    plan, inputs = _same_plan(known), _joined_inputs(known)
    shutil.rmtree(target.folder / _UNFINISHED, ignore_errors=True)
    trials = _winners(known, ResultsStore.read_trials, lambda record: record.trial_id)
    costs = _winners(known, ResultsStore.read_costs, lambda record: record.cost_id)
    primary = next((found for store in sources if (found := store.read_primary())), None)
    target.write_plan(plan, Selection(), primary)
    target.write_inputs(inputs)
    target.write_seen(reduce(SeenStatements.joined, (store.read_seen() for store in known)))
    for trial_id, source in trials.items():
        if source is not target:
            _copy(source.trial(trial_id), target.trial(trial_id), target)
    for cost_id, source in costs.items():
        if source is not target:
            _copy(source.costs / cost_id, target.costs / cost_id, target)
    for source in sources:
        _copy_quality(source, target)
    held = sum(len(store.read_trials()) + len(store.read_costs()) for store in sources)
    copied = [sum(source is not target for source in each.values()) for each in (trials, costs)]
    missing = sum(trial.trial_id not in trials for trial in plan)
    return Merged(copied[0], copied[1], passed_over=held - sum(copied), missing=missing)


def _same_plan(stores: Sequence[ResultsStore]) -> list[Trial]:
    """The trials of the suite that all are results of."""
    plans = {store.folder: plan for store in stores if (plan := store.read_plan())}
    if not plans:
        raise ResultsError(f"{stores[-1].folder} does not say which trials its suite has: run it")
    (first, plan), *others = plans.items()
    ids = {trial.trial_id for trial in plan}
    for folder, other in others:
        if differing := ids ^ {trial.trial_id for trial in other}:
            raise ResultsError(
                f"{first} and {folder} are results of different suites: {len(differing)} trials "
                f"are planned in one of them alone, such as {min(differing)}"
            )
    return plan


def _joined_inputs(stores: Sequence[ResultsStore]) -> CurrentInputs:
    """Which data and weights all of them found."""
    data: dict[str, tuple[str, Path]] = {}
    weights: dict[str, tuple[str, Path]] = {}
    for store in stores:
        inputs = store.read_inputs()
        for what, found, digests in (
            ("recordings, targets or speakers", data, inputs.data),
            ("weights", weights, inputs.weights),
        ):
            for key, digest in digests.items():
                known, folder = found.setdefault(key, (digest, store.folder))
                if known != digest:
                    raise ResultsError(
                        f"{folder} and {store.folder} rest on different {what}: their scores "
                        "cannot stand in one table. Run one of them again on what the other had"
                    )
    return CurrentInputs(
        data={key: digest for key, (digest, _) in data.items()},
        weights={key: digest for key, (digest, _) in weights.items()},
    )


def _winners(
    stores: Sequence[ResultsStore],
    read: Callable[[ResultsStore], list[AnyRecord]],
    name: Callable[[AnyRecord], str],
) -> dict[str, ResultsStore]:
    """Where the outcome lies that counts, by its id; of equal ones the first."""
    best: dict[str, tuple[tuple[bool, str], ResultsStore]] = {}
    for store in stores:
        for record in read(store):
            rank = (record.status == "ok", record.started_at)
            if name(record) not in best or rank > best[name(record)][0]:
                best[name(record)] = (rank, store)
    return {each: store for each, (_, store) in best.items()}


def _copy(folder: Path, to: Path, target: ResultsStore) -> None:
    """Whole or not at all."""
    unfinished = target.folder / _UNFINISHED
    shutil.copytree(folder, unfinished)
    if to.exists():
        target.supersede(to)
    to.parent.mkdir(parents=True, exist_ok=True)
    unfinished.rename(to)


def _copy_quality(source: ResultsStore, target: ResultsStore) -> None:
    for path in sorted((source.folder / "quality").glob("*.txt")):
        target.write_quality(path.stem, path.read_text(encoding="utf-8").splitlines())
