"""Runs a plan, and loses nothing that was finished."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence

from harness.config.trial_names import TrialNames
from harness.errors import TrialError
from harness.files import cache_folder, sweep
from harness.interruption import stopping_on
from harness.profiling.device_naming import name_of_device
from harness.profiling.estimation.estimate_text import estimate_line, total_of
from harness.progress import Reporter
from harness.results.provenance import differences
from harness.results.records import CostRecord, Record, Status
from harness.results.store import ResultsStore
from harness.runs.engines import INLINE, Engine, MeasureCosts
from harness.runs.estimating import estimate_apart
from harness.runs.events import CostAdvanced, CostMeasured
from harness.runs.executors import MakeExecutor
from harness.runs.jobs import on_one_device
from harness.runs.model_retention import sweep_models
from harness.runs.planning import Plan
from harness.runs.preflight import Preflight, check_all
from harness.runs.progress_display import ProgressDisplay
from harness.runs.results_sink import ResultsSink
from harness.runs.run_summary import RunSummary
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.timings import RunTimings
from harness.runs.tracking.tracker_processes import NO_TRACKING, Tracking
from harness.runs.work_units import WorkUnit, work_units
from harness.specs import CostTrial, Trial

DAY_S = 86_400.0


def run_plan(
    plan: Plan,
    store: ResultsStore,
    reporter: Reporter,
    options: RuntimeOptions,
    *,
    tracking: Tracking = NO_TRACKING,
    engine: Engine = INLINE,
    fresh: bool = False,
    retry: Container[Status] | None = None,
    estimate: bool = False,
) -> RunSummary:
    """Check everything, run what is not finished, then measure costs.

    Args:
        plan: the suite, and what of it is selected
        store: where outcomes are written, and those of before are found
        reporter: shows progress
        options: where to run, and what of the machine may be used
        tracking: trackers that are told
        engine: who runs the units of work, and measures costs
        fresh: train anew what is finished, too; what it replaces is set aside
        retry: of the trials that ended badly before, try only those that ended so again
        estimate: first say what it will take; some seconds

    Raises:
        UserError: something that trials need is missing or wrong; all of it is named, and
            nothing has been started.
        Interrupted: it was asked to stop, and what was at work has saved what it had.
    """
    store.prepare()
    _sweep(store)
    known = {record.trial_id: record for record in store.read_trials()}
    preflight = check_all(
        plan.selected,
        reporter,
        devices=lambda: engine.devices(options.device),
        offline=options.offline,
    )
    with store.writing():
        store.write_plan(plan.trials, plan.selection, plan.suite.primary)
        _note_inputs(plan.selected, preflight, store)
        store.write_seen(store.read_seen().updated(plan.suite))
        for spec, corpus in preflight.corpora.items():
            store.write_quality(spec.name, corpus.quality.lines())
    finished = _finished(plan.selected, known, preflight, store, reporter, fresh=fresh)
    if retry is not None:
        finished |= _given_up(plan.selected, known, retry)
    names = TrialNames.among(plan.trials)
    summary = RunSummary(reused=len(finished), names=names)
    display = ProgressDisplay(reporter, len(plan.selected), names)
    sink = ResultsSink(plan.suite, store, display, tracking, summary)
    todo = [trial for trial in plan.selected if trial.trial_id not in finished]
    if todo:
        summary.timings = _timings(todo, options, preflight, store, reporter, estimate=estimate)
    display.begin()
    try:
        for record in finished.values():
            sink.add_finished(record)
        if todo:
            units = work_units(plan.suite.suite, todo, options, store.trials)
            _run_units(units, preflight, engine.make_executor, sink)
    finally:
        display.end()
    _check_kept(summary, store)
    if plan.costs:
        tracking.settle()  # so that no tracker is at work meanwhile
        _measure(plan, store, on_one_device(options), sink, engine.measure)
    return summary


def _sweep(store: ResultsStore) -> None:
    """Remove what runs that were killed have left in the results, and long ago in the cache."""
    sweep(store.folder)
    for kept in ("audio_info", "frames"):
        sweep(cache_folder(kept), older_than_s=DAY_S)
    sweep_models(store)


def _run_units(
    units: Sequence[WorkUnit], preflight: Preflight, make_executor: MakeExecutor, sink: ResultsSink
) -> None:
    with stopping_on() as stop:
        for worker, event in make_executor(preflight.corpora, stop).run(units):
            sink.handle(event, worker)


def _given_up(
    trials: tuple[Trial, ...], known: Mapping[str, Record], retry: Container[Status]
) -> dict[str, Record]:
    """What ended badly, and is not to be tried again."""
    ended = (known[trial.trial_id] for trial in trials if trial.trial_id in known)
    return {
        record.trial_id: record
        for record in ended
        if record.status != "ok" and record.status not in retry
    }


def _check_kept(summary: RunSummary, store: ResultsStore) -> None:
    """Somebody may have deleted the folder meanwhile, which writing does not notice."""
    gone = [each for each in summary.records if not store.has_trial(each.trial_id)]
    if gone:
        raise TrialError(
            f"{len(gone)} of {len(summary.records)} outcomes are no longer in {store.folder}: "
            "it was deleted, moved or unmounted during the run; run the suite again"
        )


def _note_inputs(trials: tuple[Trial, ...], preflight: Preflight, store: ResultsStore) -> None:
    """So that a report leaves out what rests on other data or weights, planned or not."""
    found = [(trial, preflight.provenance[trial.trial_id].digests) for trial in trials]
    store.write_inputs(store.read_inputs().updated(found))


def _finished(
    trials: tuple[Trial, ...],
    known: Mapping[str, Record],
    preflight: Preflight,
    store: ResultsStore,
    reporter: Reporter,
    *,
    fresh: bool,
) -> dict[str, Record]:
    """The outcomes that still hold; what no longer holds makes way."""
    finished = {}
    reasons: Counter[str] = Counter()
    for trial in trials:
        record = known.get(trial.trial_id)
        if fresh:
            store.discard_checkpoints(trial.trial_id)
        if record is None or record.status != "ok":
            continue
        changed = differences(record, trial, preflight.provenance[trial.trial_id])
        if not changed and not fresh:
            finished[trial.trial_id] = record
            continue
        store.supersede(store.trial(trial.trial_id))
        reasons[", ".join(changed) or "--fresh"] += 1
    for reason, count in reasons.items():
        what = "trial is" if count == 1 else "trials are"
        reporter.note(f"{count} finished {what} trained again: {reason}")
    return finished


def _timings(
    trials: list[Trial],
    options: RuntimeOptions,
    preflight: Preflight,
    store: ResultsStore,
    reporter: Reporter,
    *,
    estimate: bool,
) -> RunTimings:
    """What is to be taken down of a run, beside an estimate if one was asked for."""
    if not estimate:
        return RunTimings()
    if options.engine == "ray":
        reporter.note("no estimate: it would be of this machine, and not of the cluster")
        return RunTimings()
    try:
        options = on_one_device(options)
        estimates = estimate_apart(trials, options, preflight.corpora)
        name = name_of_device(options.device)
    except Exception as error:  # a run is worth more than its estimate
        reporter.note(f"no estimate: {error}")
        return RunTimings()
    reporter.note(f"estimated for one worker: {estimate_line(total_of(estimates))}")
    return RunTimings(estimates, name, store.write_estimate)


def _measure(
    plan: Plan,
    store: ResultsStore,
    options: RuntimeOptions,
    sink: ResultsSink,
    measure: MeasureCosts,
) -> None:
    """Measure the costs of a plan that are not known yet, and add all of them to the summary."""
    found: dict[CostTrial, CostRecord] = {}
    measured: set[str] = set()
    known = {record.cost_id: record for record in store.read_costs()}
    for event in measure(plan.suite, plan.costs, options, known):
        sink.handle(event)
        if isinstance(event, CostMeasured):
            measured.add(event.joined.cost_id)
        if isinstance(event, CostAdvanced):
            found[event.trial] = event.known
    sink.display.end()
    sink.add_costs(found.values(), len(measured))
