"""Measures what a suite's backbones cost, unless that is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.profiling.device_naming import name_of_device
from harness.profiling.measurement import measure_in_subprocess
from harness.profiling.measurement_rounds import pooled
from harness.results.provenance import cost_fingerprint, cost_holds
from harness.results.records import CostRecord
from harness.runs.events import CostAdvanced, CostMeasured, CostsStarted, CostStarted, Event
from harness.runs.runtime_options import RuntimeOptions
from harness.specs import CostTrial, Suite


def measure_costs(
    suite: Suite,
    costs: Sequence[CostTrial],
    options: RuntimeOptions,
    known: Mapping[str, CostRecord],
) -> Iterator[Event]:
    """Measure costs in rounds, each of which measures all of them.

    Args:
        suite: whose costs they are
        costs: what is to be known
        options: where it is measured
        known: what was measured before, by cost id

    Yields:
        What happens; a `CostAdvanced` for each cost in each round, with what is known by then.
    """
    name = name_of_device(options.device)
    found: dict[CostTrial, CostRecord] = {}
    rounds = suite.cost.rounds if suite.cost else 0
    yield CostsStarted(rounds * len(costs))
    for number in range(1, rounds + 1):
        for cost in costs:
            now = found.get(cost) or _holding(cost, known.get(cost.cost_id(name)))
            if now is None or (now.status == "ok" and now.rounds < number):
                yield CostStarted(cost, number, rounds)
                latest = measure_in_subprocess(
                    cost, suite.suite, name, options.device, options.offline
                )
                now = _joined(now, latest)
                yield CostMeasured(latest, now)
            found[cost] = now
            yield CostAdvanced(cost, now)


def _holding(cost: CostTrial, record: CostRecord | None) -> CostRecord | None:
    """What was measured before by the same parts and packages; what failed is measured again."""
    if record is None or record.status != "ok":
        return None
    return record if cost_holds(record, cost_fingerprint(cost)) else None


def _joined(known: CostRecord | None, latest: CostRecord) -> CostRecord:
    """With one round more; a round that fails harms none before it."""
    if known is None:
        return latest
    return pooled(known, latest) if latest.status == "ok" else known
