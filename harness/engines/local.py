"""Runs trials one after another on this machine, and loses nothing that was finished."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from backbones.cards import BackboneError
from harness.cost.measure import measure_apart
from harness.cost.plan import CostTrial, cost_trials
from harness.engines.keep import keep_model
from harness.engines.watching import watching
from harness.errors import UserError
from harness.ground import Ground, cut_fold, prepare_ground
from harness.heads.build import load_backbone
from harness.progress import Reporter
from harness.records.environment import code_digest
from harness.records.schema import CostRecord, Record
from harness.records.store import Store
from harness.report.trials import error_line
from harness.suite.schema import BackboneSpec, CorpusSpec, Suite, Trial
from harness.training.device import machine_name, make_accelerator
from harness.trial import digests_of, run_trial


@dataclass
class RunSummary:
    """What became of a run's trials."""

    records: list[Record] = field(default_factory=list)
    reused: int = 0
    failed_costs: int = 0

    @property
    def failed(self) -> int:
        """Trials and cost measurements that did not end well."""
        return sum(record.status != "ok" for record in self.records) + self.failed_costs

    def line(self) -> str:
        """One line for the end of a run."""
        fine = sum(record.status == "ok" for record in self.records)
        return f"{fine} trials ok ({self.reused} of them from before), {self.failed} failed"


@dataclass(frozen=True)
class Grounds:
    """What was read and checked before the first trial started."""

    corpora: dict[CorpusSpec, Ground]
    weights: dict[BackboneSpec, str]
    """Digest of each backbone's weights, which have been verified."""


def run_suite(
    suite: Suite,
    trials: Sequence[Trial],
    store: Store,
    reporter: Reporter,
    *,
    device: str = "auto",
    offline: bool = False,
) -> RunSummary:
    """Check everything, run what is not finished, then measure costs.

    Raises:
        UserError: something that trials need is missing or wrong; all of it is named, and
            nothing has been started.
    """
    store.prepare()
    grounds = prepare(trials, reporter, device=device, offline=offline)
    summary = RunSummary()
    reporter.begin("trials", len(trials))
    for number, trial in enumerate(trials, start=1):
        record = _finished(trial, grounds, store)
        if record is None:
            reporter.note(f"[{number}/{len(trials)}] {trial.describe()}")
            record = _run(trial, suite, grounds, store, reporter, device, offline)
            reporter.note(f"    {outcome_line(record)}")
        else:
            summary.reused += 1
        summary.records.append(record)
        reporter.advance()
    reporter.end()
    costs = _measure_costs(cost_trials(trials, suite.cost), suite, store, reporter, device, offline)
    summary.failed_costs = sum(cost.status != "ok" for cost in costs)
    return summary


def prepare(trials: Sequence[Trial], reporter: Reporter, *, device: str, offline: bool) -> Grounds:
    """Read every corpus and load every backbone once, so that mistakes show at the start.

    Raises:
        UserError: all mistakes at once.
    """
    corpora: dict[CorpusSpec, Ground] = {}
    weights: dict[BackboneSpec, str] = {}
    mistakes: list[str] = []
    for precision in dict.fromkeys(trial.training.precision for trial in trials):
        with _gathered(mistakes):
            make_accelerator(device, precision)
    for trial in trials:
        with _gathered(mistakes):
            if trial.corpus not in corpora:
                corpora[trial.corpus] = prepare_ground(
                    trial.corpus, trial.limit_utterances, reporter
                )
            cut_fold(trial, corpora[trial.corpus])
    for spec in dict.fromkeys(trial.backbone for trial in trials):
        with _gathered(mistakes):
            weights[spec] = load_backbone(spec, offline=offline).weights.digest
    if mistakes:
        raise UserError("\n".join(dict.fromkeys(mistakes)))
    return Grounds(corpora, weights)


@contextmanager
def _gathered(mistakes: list[str]) -> Iterator[None]:
    """Note the user's mistakes and go on, so that all of them can be told at once."""
    try:
        yield
    except (UserError, BackboneError) as error:
        mistakes.append(str(error))


def outcome_line(record: Record) -> str:
    """How one trial ended, in a line."""
    if record.status != "ok":
        return f"{record.status}: {error_line(record)}"
    test = record.metrics["test"]
    return (
        f"test UAR {test.uar:.3f}, macro-F1 {test.macro_f1:.3f}, accuracy {test.accuracy:.3f} "
        f"in {record.wall_s:.0f} s"
    )


def _run(
    trial: Trial,
    suite: Suite,
    grounds: Grounds,
    store: Store,
    reporter: Reporter,
    device: str,
    offline: bool,
) -> Record:
    with watching(reporter) as watch:
        outcome = run_trial(
            trial,
            grounds.corpora[trial.corpus],
            suite=suite.suite,
            device=device,
            offline=offline,
            watch=watch,
        )
    store.write_trial(outcome.record, outcome.predictions)
    if outcome.trained_state is not None:
        keep_model(store, outcome.record, outcome.trained_state, suite.keep_models)
    return outcome.record


def _finished(trial: Trial, grounds: Grounds, store: Store) -> Record | None:
    """The trial's record if it ended well and rests on the same inputs as now."""
    record = store.find_trial(trial.trial_id)
    if record is None or record.status != "ok":
        return None
    fold = cut_fold(trial, grounds.corpora[trial.corpus])
    digests = digests_of(fold, grounds.weights[trial.backbone])
    if record.digests == digests:
        return record
    store.supersede(trial.trial_id)
    return None


def _measure_costs(
    costs: Sequence[CostTrial],
    suite: Suite,
    store: Store,
    reporter: Reporter,
    device: str,
    offline: bool,
) -> list[CostRecord]:
    records = []
    machine = machine_name(make_accelerator(device, "auto").device)
    reporter.begin("costs", len(costs))
    for cost in costs:
        record = store.find_cost(cost.cost_id(machine))
        if record is None or record.status != "ok" or record.code != code_digest():
            reporter.note(f"cost of {cost.backbone.name} · {cost.finetune_layers} layers")
            record = measure_apart(cost, suite.suite, machine, device, offline)
            store.write_cost(record)
        if record.status != "ok":
            reporter.note(f"    {record.status}: {error_line(record)}")
        records.append(record)
        reporter.advance()
    reporter.end()
    return records
