"""From records, costs and predictions to a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import TypeVar

from harness.config.axes import flat
from harness.config.trial_names import TrialNames
from harness.reporting.footnotes import comparison_footnotes, cost_footnotes
from harness.reporting.report_model import (
    BaselineRow,
    LearningCurve,
    Report,
    ReportRow,
    TrialRow,
)
from harness.reporting.report_rankings import rankings_of, with_rank_groups
from harness.results.chosen_settings import chosen_settings
from harness.results.class_balance import lacking_classes
from harness.results.class_scores import class_scores
from harness.results.cost_matching import TrialCost, cost_lookup
from harness.results.current_inputs import CurrentInputs, stale_trials
from harness.results.failures import failures
from harness.results.flags import DATA_FLAGS, flags, programs_of
from harness.results.group_scores import (
    GroupScore,
    Predictions,
    baseline_scores,
    group_scores,
    score_on_dev,
)
from harness.results.records import CostRecord, Record
from harness.results.row_flags import row_flags
from harness.results.seen_before import NOTHING_SAID, SeenBefore, seen_before
from harness.results.seen_statements import SeenStatements
from harness.results.trial_groups import TrialGroup, backbone_key, group_trials
from harness.specs import Trial
from harness.tasks import TASKS

Value = TypeVar("Value")
Stale = Mapping[str, tuple[str, ...]]
"""By trial id, what an outcome rests on that is no longer so."""

NOTHING_KNOWN = CurrentInputs()


def build_report(
    title: str,
    records: Sequence[Record],
    costs: Iterable[CostRecord],
    predictions: Predictions,
    planned: Iterable[Trial] = (),
    inputs: CurrentInputs = NOTHING_KNOWN,
    primary: str | None = None,
    said: SeenStatements = NOTHING_SAID,
) -> Report:
    """All that a report says.

    Args:
        title: what stands above its tables
        records: the outcomes of trials
        costs: the outcomes of the cost pass
        predictions: gives the saved predictions of a trial, on which intervals rest
        planned: the trials there ought to be; rows that lack some are flagged INCOMPLETE
        inputs: which data and weights lie there now; trials that rest on others are left out
        primary: the metric that ranks rows; the headline of their task when left out
        said: what suites say of what corpora are and backbones have seen
    """
    ordered = tuple(sorted(costs, key=_cost_key))
    cost_of = cost_lookup(ordered)
    stale = stale_trials(records, inputs)
    current = [record for record in records if record.trial_id not in stale]
    # of what is stale there are the trials, as if they had yet to be run
    lacking = [record.trial for record in records if record.trial_id in stale]
    expected = [*planned, *lacking]
    names = TrialNames.among([*expected, *(record.trial for record in records)])
    groups = group_trials(current, expected)
    lacking_ids = {trial.trial_id for trial in lacking}
    rows = tuple(
        _row(group, cost_of(group.trials[0]), predictions, lacking_ids, among, _seen(group, said))
        for group, among in zip(groups, row_flags(groups), strict=True)
    )
    rankings = rankings_of(groups, rows, primary)
    rows = with_rank_groups(rows, rankings)
    return Report(
        title=title,
        rows=rows,
        baselines=tuple(_baselines(groups, said)),
        footnotes=comparison_footnotes(
            rows,
            programs_of(current),
            [(names.of(r.trial), stale[r.trial_id]) for r in records if r.trial_id in stale],
            lacking_classes(current),
        ),
        rankings=rankings,
        failures=failures(records, names),
        curves=tuple(curve for group in groups for curve in _curves(group)),
        trials=tuple(_trial_row(record, cost_of, stale) for record in records),
        costs=ordered,
        cost_footnotes=cost_footnotes(ordered),
    )


def _row(
    group: TrialGroup,
    cost: TrialCost | None,
    predictions: Predictions,
    lacking: AbstractSet[str],
    among_rows: tuple[str, ...],
    seen: SeenBefore,
) -> ReportRow:
    done = group.finished
    own = flags(
        group.trials,
        group.records,
        seen=seen.flags,
        unstable_cost=cost is not None and cost.unstable,
        stale=sum(trial.trial_id in lacking for trial in group.trials),
    )
    return ReportRow(
        corpus=group.corpus,
        backbone=group.backbone,
        finetune_layers=group.finetune_layers,
        axes=group.axes,
        task=group.task,
        folds=len({record.trial.fold for record in done}),
        seeds=len({record.trial.seed for record in done}),
        trials=len(done),
        planned=len(group.trials),
        scores=group_scores(done, predictions),
        dev_score=score_on_dev(done),
        classes=class_scores(done),
        trainable_parameters=_first(record.trainable_parameters for record in done),
        total_parameters=_first(record.total_parameters for record in done),
        depth_share=_depth_share(group),
        cost=cost,
        flags=(*own, *among_rows),
        rank_group=None,
        chosen=chosen_settings(done),
        seen_before=seen,
    )


def _seen(group: TrialGroup, said: SeenStatements) -> SeenBefore:
    # but for folders, the trials of a group name the same backbone and corpus
    first = group.trials[0]
    corpus = group.finished[0].scored_on if group.finished else first.corpus
    return seen_before(first.backbone, corpus, group.finished, said)


def _depth_share(group: TrialGroup) -> float | None:
    depth = _first(record.backbone_depth for record in group.finished)
    if not depth:
        return None
    return 1.0 if group.finetune_layers == "all" else group.finetune_layers / depth


def _baselines(groups: Sequence[TrialGroup], said: SeenStatements) -> Iterator[BaselineRow]:
    for corpus, task in dict.fromkeys((group.corpus, group.task) for group in groups):
        own = [group for group in groups if (group.corpus, group.task) == (corpus, task)]
        yield from _probes(own, said)
        records = _one_a_split(own, lambda record: record.baselines is not None)
        for name in TASKS[task].baselines if records else ():
            found = [(record.trial, (record.baselines or {}).get(name)) for record in records]
            known = [(trial, scores) for trial, scores in found if scores is not None]
            if len(known) == len(found):  # an earlier program did not know all of them
                yield _baseline_row(own[0], name, records, baseline_scores(known), DATA_FLAGS)


def _probes(groups: Sequence[TrialGroup], said: SeenStatements) -> Iterator[BaselineRow]:
    """Those of the backbones of one corpus, each over the folds of all its trials."""
    for backbone in dict.fromkeys(group.backbone for group in groups):
        own = [group for group in groups if group.backbone == backbone]
        records = _one_a_split(own, lambda record: record.probe is not None)
        if records:
            scores = baseline_scores(
                (record.trial, record.probe.metrics["test"]) for record in records if record.probe
            )
            names, seen = (*DATA_FLAGS, "SENTENCES SHARED", "RANDOM"), _seen(own[0], said)
            row = _baseline_row(own[0], f"probe on {backbone}", records, scores, names)
            yield replace(row, flags=(*row.flags, *seen.flags))


def _one_a_split(groups: Sequence[TrialGroup], has: Callable[[Record], bool]) -> tuple[Record, ...]:
    """One record for each test split: what is asked of it is the same for every trial on it."""
    by_split = {
        (record.trial.fold, record.digests.split if record.digests else ""): record
        for group in groups
        for record in group.finished
        if has(record)
    }
    return tuple(by_split.values())


def _baseline_row(
    group: TrialGroup,
    name: str,
    records: Sequence[Record],
    scores: Mapping[str, GroupScore],
    flag_names: Sequence[str],
) -> BaselineRow:
    found = flags([record.trial for record in records], records)
    return BaselineRow(
        corpus=group.corpus,
        baseline=name,
        task=group.task,
        folds=len({record.trial.fold for record in records}),
        scores=scores,
        flags=tuple(flag for flag in found if flag in flag_names),
    )


def _curves(group: TrialGroup) -> Iterator[LearningCurve]:
    for record in group.records:
        if record.fit is not None and record.fit.curve:
            yield LearningCurve(
                trial_id=record.trial_id,
                corpus=group.corpus,
                backbone=group.backbone,
                finetune_layers=group.finetune_layers,
                axes=group.axes,
                fold=record.trial.fold,
                seed=record.trial.seed,
                epochs=tuple(record.fit.curve),
                best_epoch=record.fit.best_epoch,
            )


def _trial_row(
    record: Record, cost_of: Callable[[Trial], TrialCost | None], stale: Stale
) -> TrialRow:
    trial = record.trial
    return TrialRow(record, flat(trial), cost_of(trial), stale.get(record.trial_id, ()))


def _cost_key(cost: CostRecord) -> tuple[object, ...]:
    trial = cost.trial
    return (*backbone_key(trial.backbone.name, trial.finetune_layers), cost.started_at)


def _first(values: Iterable[Value | None]) -> Value | None:
    return next((value for value in values if value is not None), None)
