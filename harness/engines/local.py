"""Runs trials one after another on this machine, and loses nothing that was finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.cost.measure import measure_apart
from harness.cost.plan import cost_trials
from harness.engines.keep import beaten_rivals, save_model
from harness.engines.prepare import Prepared, prepare
from harness.engines.watching import watching
from harness.progress import Reporter
from harness.records.environment import code_digest
from harness.records.schema import CostRecord, Record
from harness.records.store import MODEL, Store
from harness.report.trials import error_line
from harness.suite.schema import Suite, Trial
from harness.training.device import machine_name, make_accelerator, release_memory
from harness.trial import Outcome, run_trial


@dataclass(frozen=True)
class Machine:
    """Where trials run: "auto", "cpu" or "cuda[:N]", and whether the network may be used."""

    device: str = "auto"
    offline: bool = False


@dataclass
class RunSummary:
    """What became of a run's trials and cost measurements."""

    records: list[Record] = field(default_factory=list)
    costs: list[CostRecord] = field(default_factory=list)
    reused: int = 0

    @property
    def failed(self) -> int:
        """How many trials and measurements did not end well."""
        statuses = [r.status for r in self.records] + [c.status for c in self.costs]
        return sum(status != "ok" for status in statuses)

    def line(self) -> str:
        """One line for the end of a run."""
        fine = sum(record.status == "ok" for record in self.records)
        text = f"{fine} of {len(self.records)} trials ok ({self.reused} of them from before)"
        if self.costs:
            measured = sum(cost.status == "ok" for cost in self.costs)
            text += f", {measured} of {len(self.costs)} costs measured"
        return text


def run_suite(
    suite: Suite, trials: Sequence[Trial], store: Store, reporter: Reporter, machine: Machine
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
    for spec, ground in prepared.corpora.items():
        store.write_quality(spec.name, ground.quality.lines())
    summary = RunSummary()
    reporter.begin("trials", len(trials))
    for number, trial in enumerate(trials, start=1):
        record = known.get(trial.trial_id)
        if record and _is_finished(record, trial, prepared, store):
            summary.reused += 1
        else:
            reporter.note(f"[{number}/{len(trials)}] {trial.describe()}")
            record = _run(trial, suite, prepared, store, reporter, machine)
            reporter.note(f"    {outcome_line(record)}")
        summary.records.append(record)
        reporter.advance()
    reporter.end()
    summary.costs = _measure_costs(suite, trials, store, reporter, machine)
    return summary


def outcome_line(record: Record) -> str:
    """How one trial ended, in a line."""
    if record.status != "ok":
        return f"{record.status}: {error_line(record)}"
    test = record.metrics["test"]
    return (
        f"test UAR {test.uar:.3f}, macro-F1 {test.macro_f1:.3f}, accuracy {test.accuracy:.3f} "
        f"in {record.wall_s:.0f} s"
    )


def _is_finished(record: Record, trial: Trial, prepared: Prepared, store: Store) -> bool:
    """Whether a trial ended well and rests on the same inputs as now; else it makes way."""
    if record.status != "ok":
        return False
    if record.digests == prepared.digests[trial.trial_id]:
        return True
    store.supersede(trial.trial_id)
    return False


def _run(
    trial: Trial,
    suite: Suite,
    prepared: Prepared,
    store: Store,
    reporter: Reporter,
    machine: Machine,
) -> Record:
    with watching(reporter) as watch:
        outcome = run_trial(
            trial,
            prepared.corpora[trial.corpus],
            suite=suite.suite,
            device=machine.device,
            offline=machine.offline,
            watch=watch,
        )
    _write(outcome, suite, store)
    return outcome.record


def _write(outcome: Outcome, suite: Suite, store: Store) -> None:
    """The model first, the record after it, beaten models last: a crash leaves no gap."""
    record, rivals = outcome.record, None
    if outcome.trained_state is not None:
        rivals = beaten_rivals(store, record, suite.keep_models)
        if rivals is not None:
            save_model(store, record.trial_id, outcome.trained_state)
    store.write_trial(record, outcome.predictions)
    for rival in rivals or ():
        (store.trial(rival.trial_id) / MODEL).unlink()


def _measure_costs(
    suite: Suite, trials: Sequence[Trial], store: Store, reporter: Reporter, machine: Machine
) -> list[CostRecord]:
    costs = cost_trials(trials, suite.cost)
    name = machine_name(make_accelerator(machine.device, "auto").device)
    release_memory()  # a GPU whose cache the trials still hold would seem smaller than it is
    records = []
    reporter.begin("costs", len(costs))
    for cost in costs:
        record = store.find_cost(cost.cost_id(name))
        if record is None or record.status != "ok" or record.code != code_digest():
            reporter.note(f"cost of {cost.backbone.name} · {cost.finetune_layers} layers")
            record = measure_apart(cost, suite.suite, name, machine.device, machine.offline)
            store.write_cost(record)
        if record.status != "ok":
            reporter.note(f"    {record.status}: {error_line(record)}")
        records.append(record)
        reporter.advance()
    reporter.end()
    return records
