"""Measures what a suite's backbones cost, unless that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.profiling.measurement import measure_in_subprocess
from harness.profiling.measurement_rounds import pooled
from harness.reporting.trials_table import error_line
from harness.results.environment import costs_digest
from harness.results.records import CostRecord
from harness.results.store import ResultsStore
from harness.runs.summary import Run
from harness.runs.tracking.publishing import CostKnown
from harness.specs import CostTrial
from harness.training.devices import machine_name, make_accelerator


def measure_costs(run: Run, costs: Sequence[CostTrial]) -> None:
    """Measure costs in rounds, each of which measures all of them; add them to the summary."""
    if not costs:
        return
    machine, reporter = run.machine, run.reporter
    run.tracking.settle()  # so that no tracker is at work meanwhile
    name = machine_name(make_accelerator(machine.device, "auto").device)
    found: dict[CostTrial, CostRecord] = {}
    fresh: set[CostTrial] = set()
    rounds = run.suite.cost.rounds if run.suite.cost else 0
    reporter.begin("costs", rounds * len(costs))
    for number in range(1, rounds + 1):
        for cost in costs:
            known = found.get(cost) or _known_cost(cost, name, run.store)
            if known is None or (known.status == "ok" and known.rounds < number):
                reporter.note(f"cost of {cost.describe()}, round {number} of {rounds}")
                record = measure_in_subprocess(
                    cost, run.suite.suite, name, machine.device, machine.offline
                )
                if record.status != "ok":
                    reporter.note(f"    {record.status}: {error_line(record)}")
                known = _joined(known, record)
                run.store.write_cost(known)
                fresh.add(cost)
            found[cost] = known
            reporter.advance()
    reporter.end()
    run.summary.costs = list(found.values())
    run.summary.measured = len(fresh)
    _tell(run, found)


def _tell(run: Run, found: Mapping[CostTrial, CostRecord]) -> None:
    """Tell trackers, at every trial, what its backbone costs at its depth."""
    for record in run.summary.records:
        cost = found.get(CostTrial.of(record.trial, run.suite.cost)) if run.suite.cost else None
        if cost and cost.status == "ok":
            run.tracking.tell(CostKnown(record, cost))


def _joined(known: CostRecord | None, record: CostRecord) -> CostRecord:
    """With one round more; a round that fails harms none before it."""
    if known is None:
        return record
    return pooled(known, record) if record.status == "ok" else known


def _known_cost(cost: CostTrial, machine: str, store: ResultsStore) -> CostRecord | None:
    """What was measured before, by the same program and packages; what failed is measured again."""
    record = store.find_cost(cost.cost_id(machine))
    return record if record and record.status == "ok" and record.code == costs_digest() else None
