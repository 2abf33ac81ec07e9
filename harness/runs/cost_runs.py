"""Measures what a suite's backbones cost, unless that is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from harness.profiling.measurement import measure_in_subprocess
from harness.profiling.measurement_rounds import pooled
from harness.results.provenance import cost_fingerprint, cost_holds
from harness.results.records import CostRecord
from harness.runs.events import CostAdvanced, CostMeasured, CostsStarted, CostStarted, Event
from harness.runs.runtime_options import RuntimeOptions
from harness.specs import CostTrial, Suite
from harness.training.devices import device_name, make_accelerator


def measure_costs(
    suite: Suite,
    costs: Sequence[CostTrial],
    options: RuntimeOptions,
    find: Callable[[str], CostRecord | None],
) -> Iterator[Event]:
    """Measure costs in rounds, each of which measures all of them.

    Args:
        suite: whose costs they are
        costs: what is to be known
        options: where it is measured
        find: the record of a cost id, if it was measured before

    Yields:
        What happens; a `CostAdvanced` for each cost in each round, with what is known by then.
    """
    name = device_name(make_accelerator(options.device, "auto").device)
    found: dict[CostTrial, CostRecord] = {}
    rounds = suite.cost.rounds if suite.cost else 0
    yield CostsStarted(rounds * len(costs))
    for number in range(1, rounds + 1):
        for cost in costs:
            known = found.get(cost) or _known(cost, find(cost.cost_id(name)))
            if known is None or (known.status == "ok" and known.rounds < number):
                yield CostStarted(cost, number, rounds)
                latest = measure_in_subprocess(
                    cost, suite.suite, name, options.device, options.offline
                )
                known = _joined(known, latest)
                yield CostMeasured(latest, known)
            found[cost] = known
            yield CostAdvanced(cost, known)


def _known(cost: CostTrial, record: CostRecord | None) -> CostRecord | None:
    """What was measured before by the same parts and packages; what failed is measured again."""
    if record is None or record.status != "ok":
        return None
    return record if cost_holds(record, cost_fingerprint(cost)) else None


def _joined(known: CostRecord | None, latest: CostRecord) -> CostRecord:
    """With one round more; a round that fails harms none before it."""
    if known is None:
        return latest
    return pooled(known, latest) if latest.status == "ok" else known
