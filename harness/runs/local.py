"""Runs trials on this machine, and loses nothing that was finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from harness.errors import DiskSpaceError
from harness.profiling.estimation.forecast import Amount
from harness.progress import Reporter
from harness.redaction import redacted
from harness.results.failures import error_line
from harness.results.records import Record
from harness.results.store import MODEL, ResultsStore
from harness.runs.cost_runs import measure_costs
from harness.runs.estimate_tracking import expect, extracting
from harness.runs.fit_progress import watching
from harness.runs.model_retention import beaten_rivals, save_model
from harness.runs.preflight import Prepared, prepare
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.session import Bench
from harness.runs.side_by_side import together
from harness.runs.summary import Run, RunSummary
from harness.runs.tracking.publishing import TrialEnded
from harness.runs.tracking.tracker_processes import NO_TRACKING, Tracking
from harness.runs.trial_execution import Outcome, run_trials
from harness.specs import BackboneSpec, CorpusSpec, CostTrial, Suite, Trial
from harness.training.devices import make_accelerator, release_memory


def run_suite(
    suite: Suite,
    trials: Sequence[Trial],
    costs: Sequence[CostTrial],
    store: ResultsStore,
    reporter: Reporter,
    machine: RuntimeOptions,
    tracking: Tracking = NO_TRACKING,
) -> RunSummary:
    """Check everything, run what is not finished, then measure costs.

    Raises:
        UserError: something that trials need is missing or wrong; all of it is named, and
            nothing has been started.
    """
    store.prepare()
    known = {record.trial_id: record for record in store.read_trials()}
    prepared = prepare(trials, reporter, device=machine.device, offline=machine.offline)
    store.write_plan(trials)
    for spec, corpus in prepared.corpora.items():
        store.write_quality(spec.name, corpus.quality.lines())
    finished = {
        trial_id: record
        for trial_id, record in known.items()
        if trial_id in prepared.digests and _is_finished(record, prepared, store)
    }
    summary = RunSummary(reused=len(finished))
    run = Run(suite, store, reporter, machine, tracking, summary)
    left = [trial for trial in trials if trial.trial_id not in finished]
    if left:
        listed = [(prepared.corpora[group[0].corpus], group) for group in groups(left)]
        summary.truth = expect(listed, machine, store.write_estimate, reporter)
    reporter.begin("trials", len(trials))
    for group in groups(trials):
        for trial in group:
            if trial.trial_id in finished:
                summary.records.append(finished[trial.trial_id])
                tracking.tell(TrialEnded(finished[trial.trial_id]))  # if it has not been told yet
                reporter.advance()
        if todo := [trial for trial in group if trial.trial_id not in finished]:
            bench = Bench(prepared.corpora[todo[0].corpus], machine)
            taken = _run_group(run, todo, bench, len(trials))
            if summary.truth:
                summary.truth.add(taken)
            del bench  # its network and frames, before the next ones are loaded
            release_memory()
    reporter.end()
    measure_costs(run, costs)
    return summary


def _run_group(run: Run, todo: Sequence[Trial], bench: Bench, total: int) -> Amount:
    """Run trials on one bench and add their records to the summary; what they took."""
    reporter, records = run.reporter, run.summary.records
    taken = extracting(partial(_have_frames, bench, todo, reporter))
    device = make_accelerator(bench.machine.device, "auto").device
    for batch in together(todo, device.type, bench.keeps):
        for number, trial in enumerate(batch, start=len(records) + 1):
            reporter.note(f"[{number}/{total}] {trial.describe()}")
        for record in _run_batch(run, batch, bench):
            reporter.note(f"    {outcome_line(record)}")
            taken += Amount(training_s=record.wall_s)
            records.append(record)
            run.tracking.tell(TrialEnded(record))
            reporter.advance()
    return taken


def outcome_line(record: Record) -> str:
    """How one trial ended, in a line."""
    if record.status != "ok":
        return f"{record.status}: {error_line(record)}"
    test = record.metrics["test"]
    return (
        f"test UAR {test.uar:.3f}, macro-F1 {test.macro_f1:.3f}, accuracy {test.accuracy:.3f} "
        f"in {record.wall_s:.0f} s"
    )


def groups(trials: Sequence[Trial]) -> list[list[Trial]]:
    """Trials that share a corpus and a backbone, in the order in which they first come."""
    found: dict[tuple[CorpusSpec, BackboneSpec], list[Trial]] = {}
    for trial in trials:
        found.setdefault((trial.corpus, trial.backbone), []).append(trial)
    return list(found.values())


def _is_finished(record: Record, prepared: Prepared, store: ResultsStore) -> bool:
    """Whether a trial ended well and rests on the same inputs as now; else it makes way."""
    if record.status != "ok":
        return False
    if record.digests == prepared.digests[record.trial_id]:
        return True
    store.supersede(record.trial_id)
    return False


def _have_frames(bench: Bench, trials: Sequence[Trial], reporter: Reporter) -> None:
    """Have the frames ready; what keeps a backbone from running is told by its trials' records."""
    try:
        bench.fill(trials, reporter)
    except DiskSpaceError:
        raise
    except Exception as error:
        reporter.note(redacted(f"    frames were not kept: {type(error).__name__}: {error}"))
        bench.machine = replace(bench.machine, frames="off")


def _run_batch(run: Run, trials: Sequence[Trial], bench: Bench) -> list[Record]:
    with watching(run.reporter, len(trials)) as watch:
        outcomes = run_trials(trials, bench, suite=run.suite.suite, watch=watch)
    for outcome in outcomes:
        _write(outcome, run.suite, run.store)
    return [outcome.record for outcome in outcomes]


def _write(outcome: Outcome, suite: Suite, store: ResultsStore) -> None:
    """The model first, the record after it, beaten models last: a crash leaves no gap."""
    record, rivals = outcome.record, None
    if outcome.trained_state is not None:
        rivals = beaten_rivals(store, record, suite.keep_models)
        if rivals is not None:
            save_model(store, record.trial_id, outcome.trained_state)
    store.write_trial(record, outcome.predictions)
    for rival in rivals or ():
        (store.trial(rival.trial_id) / MODEL).unlink()
