"""Runs trials on this machine, and loses nothing that was finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from harness.bench import Bench
from harness.cost.measure import measure_apart
from harness.cost.rounds import pooled
from harness.engines.keep import beaten_rivals, save_model
from harness.engines.prepare import Prepared, prepare
from harness.engines.together import together
from harness.engines.watching import watching
from harness.errors import NoRoomError
from harness.estimate.forecast import Amount
from harness.estimate.truth import Truth, expect, extracting
from harness.machine import Machine
from harness.progress import Reporter
from harness.records.environment import costs_digest
from harness.records.schema import CostRecord, Record
from harness.records.store import MODEL, Store
from harness.report.trials import error_line
from harness.suite.schema import BackboneSpec, CorpusSpec, CostTrial, Suite, Trial
from harness.training.device import machine_name, make_accelerator, release_memory
from harness.trial import Outcome, run_trials


@dataclass
class RunSummary:
    """What became of a run's trials and cost measurements."""

    records: list[Record] = field(default_factory=list)
    costs: list[CostRecord] = field(default_factory=list)
    reused: int = 0
    measured: int = 0
    """How many of the costs were measured now."""
    truth: Truth | None = None
    """What it was expected to take, and took; None if nothing was left to do."""

    @property
    def failed(self) -> int:
        """How many trials and measurements did not end well."""
        statuses = [r.status for r in self.records] + [c.status for c in self.costs]
        return sum(status != "ok" for status in statuses)

    def line(self) -> str:
        """One line for the end of a run."""
        fine = sum(record.status == "ok" for record in self.records)
        well = sum(cost.status == "ok" for cost in self.costs)
        trials = f"{fine} of {len(self.records)} trials ok ({self.reused} of them from before)"
        costs = f"{well} of {len(self.costs)} costs measured"
        parts = [trials] * bool(self.records) + [costs] * bool(self.costs)
        text = ", ".join(parts) or "nothing was to be done"
        return f"{text}; {self.truth.line()}" if self.truth else text


def run_suite(
    suite: Suite,
    trials: Sequence[Trial],
    costs: Sequence[CostTrial],
    store: Store,
    reporter: Reporter,
    machine: Machine,
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
    finished = {
        trial_id: record
        for trial_id, record in known.items()
        if trial_id in prepared.digests and _is_finished(record, prepared, store)
    }
    summary = RunSummary(reused=len(finished))
    left = [trial for trial in trials if trial.trial_id not in finished]
    if left:
        listed = [(prepared.corpora[group[0].corpus], group) for group in groups(left)]
        summary.truth = expect(listed, machine, store.write_estimate, reporter)
    reporter.begin("trials", len(trials))
    for group in groups(trials):
        for trial in group:
            if trial.trial_id in finished:
                summary.records.append(finished[trial.trial_id])
                reporter.advance()
        if todo := [trial for trial in group if trial.trial_id not in finished]:
            bench = Bench(prepared.corpora[todo[0].corpus], machine)
            taken = _run_group(todo, suite, bench, store, reporter, summary, len(trials))
            if summary.truth:
                summary.truth.add(taken)
            del bench  # its network and frames, before the next ones are loaded
            release_memory()
    reporter.end()
    _measure_costs(suite, costs, store, reporter, machine, summary)
    return summary


def _run_group(
    todo: Sequence[Trial],
    suite: Suite,
    bench: Bench,
    store: Store,
    reporter: Reporter,
    summary: RunSummary,
    total: int,
) -> Amount:
    """Run trials on one bench and add their records to the summary; what they took."""
    taken = extracting(partial(_have_frames, bench, todo, reporter))
    device = make_accelerator(bench.machine.device, "auto").device
    for batch in together(todo, device.type, bench.keeps):
        for number, trial in enumerate(batch, start=len(summary.records) + 1):
            reporter.note(f"[{number}/{total}] {trial.describe()}")
        for record in _run(batch, suite, bench, store, reporter):
            reporter.note(f"    {outcome_line(record)}")
            taken += Amount(training_s=record.wall_s)
            summary.records.append(record)
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


def _is_finished(record: Record, prepared: Prepared, store: Store) -> bool:
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
    except NoRoomError:
        raise
    except Exception as error:
        reporter.note(f"    frames were not kept: {type(error).__name__}: {error}")
        bench.machine = replace(bench.machine, frames="off")


def _run(
    trials: Sequence[Trial], suite: Suite, bench: Bench, store: Store, reporter: Reporter
) -> list[Record]:
    with watching(reporter, len(trials)) as watch:
        outcomes = run_trials(trials, bench, suite=suite.suite, watch=watch)
    for outcome in outcomes:
        _write(outcome, suite, store)
    return [outcome.record for outcome in outcomes]


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
    suite: Suite,
    costs: Sequence[CostTrial],
    store: Store,
    reporter: Reporter,
    machine: Machine,
    summary: RunSummary,
) -> None:
    name = machine_name(make_accelerator(machine.device, "auto").device)
    found: dict[CostTrial, CostRecord] = {}
    rounds = suite.cost.rounds if suite.cost else 0
    reporter.begin("costs", rounds * len(costs))
    for number in range(1, rounds + 1):
        for cost in costs:
            known = found.get(cost) or _known_cost(cost, name, store)
            if known is None or (known.status == "ok" and known.rounds < number):
                reporter.note(f"cost of {cost.describe()}, round {number} of {rounds}")
                record = measure_apart(cost, suite.suite, name, machine.device, machine.offline)
                if record.status != "ok":
                    reporter.note(f"    {record.status}: {error_line(record)}")
                known = _joined(known, record)
                store.write_cost(known)
                summary.measured += 1
            found[cost] = known
            reporter.advance()
    summary.costs = list(found.values())
    reporter.end()


def _joined(known: CostRecord | None, record: CostRecord) -> CostRecord:
    """With one round more; a round that fails harms none before it."""
    if known is None:
        return record
    return pooled(known, record) if record.status == "ok" else known


def _known_cost(cost: CostTrial, machine: str, store: Store) -> CostRecord | None:
    """What was measured before, by the same program and packages; what failed is measured again."""
    record = store.find_cost(cost.cost_id(machine))
    return record if record and record.status == "ok" and record.code == costs_digest() else None
