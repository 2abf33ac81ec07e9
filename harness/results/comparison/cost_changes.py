"""How far costs changed, and whether the samples show more than their scatter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.results.comparison.change import Change
from harness.results.cost_matching import newest_costs
from harness.results.inference.score_intervals import Interval
from harness.results.noise import chance, spread
from harness.results.records import CostRecord, WorkloadCost

COUNTED = ("total_parameters", "trainable_parameters")
COUNTED_OF_WORKLOADS = ("frames", "flops_per_audio_s")
"""What does not depend on the machine."""

UNREPEATED = ("infer_peak_rss_bytes", "peak_rss_bytes", "peak_gpu_bytes")
UNREPEATED_OF_WORKLOADS = ("joules_per_audio_hour", "torch_peak_allocated_bytes")
"""What is measured once, so that its scatter is not known."""

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class CostPairs:
    """The newest good measurements of the same things in two folders."""

    both: tuple[tuple[CostRecord, CostRecord], ...]
    only_base: tuple[CostRecord, ...]
    only_head: tuple[CostRecord, ...]

    @property
    def devices(self) -> tuple[str, ...]:
        """Those that measured what both have."""
        return tuple(dict.fromkeys(cost.device for pair in self.both for cost in pair))


def pair_costs(
    base: Sequence[CostRecord], head: Sequence[CostRecord], *, any_device: bool
) -> CostPairs:
    """Pair what measured the same thing, whatever workloads were asked for.

    Args:
        base: how it was
        head: how it is
        any_device: pair measurements of unlike devices too
    """
    before, after = (newest_costs(costs, per_device=not any_device) for costs in (base, head))
    return CostPairs(
        tuple((before[key], after[key]) for key in before if key in after),
        tuple(cost for key, cost in before.items() if key not in after),
        tuple(cost for key, cost in after.items() if key not in before),
    )


def counted_changes(pairs: CostPairs) -> Iterator[Change]:
    """Of what every machine counts alike."""
    for base, head in pairs.both:
        yield from _same(base, head, COUNTED, base.trial.describe(), exact=True)
        for before, after in _workloads(base, head):
            what = _described(base, before)
            yield from _same(before, after, COUNTED_OF_WORKLOADS, what, exact=True)


def measured_changes(pairs: CostPairs) -> Iterator[Change]:
    """Of speeds, memory and energy."""
    for base, head in pairs.both:
        yield from _same(base, head, UNREPEATED, base.trial.describe(), exact=False)
        for before, after in _workloads(base, head):
            what = _described(base, before)
            yield _speed(what, before, after)
            yield from _same(before, after, UNREPEATED_OF_WORKLOADS, what, exact=False)


def _workloads(base: CostRecord, head: CostRecord) -> Iterator[tuple[WorkloadCost, WorkloadCost]]:
    after = {_shape(workload): workload for workload in head.points}
    for workload in base.points:
        if _shape(workload) in after:
            yield workload, after[_shape(workload)]


def _shape(workload: WorkloadCost) -> tuple[str, float, int]:
    return workload.mode, workload.duration_s, workload.batch_size


def _described(cost: CostRecord, workload: WorkloadCost) -> str:
    mode, duration_s, batch_size = _shape(workload)
    return f"{cost.trial.describe()} · {mode} {batch_size} × {duration_s:g} s"


def _speed(what: str, base: WorkloadCost, head: WorkloadCost) -> Change:
    """A change of speed is real beyond chance and beyond the spread of either side.

    The samples of one process resemble each other, so that chance alone would take for real what
    a machine does from one quarter of an hour to the next. Whether it is real is not known where a
    measurement is unstable.
    """
    speeds = base.audio_s_per_s, head.audio_s_per_s
    figure = f"{base.mode}_audio_s_per_s"
    before, after = spread(base.samples_s), spread(head.samples_s)
    if before is None or after is None:
        return Change(what, figure, *speeds, None, "too few samples to know")
    p = chance(base.samples_s, head.samples_s)
    unstable = dict.fromkeys(base.unstable + head.unstable)
    apart = abs(speeds[1] / speeds[0] - 1) > max(before, after)
    notes = [f"p = {p:.2g}", f"spreads {before:.0%} and {after:.0%}"]
    notes += [f"unstable: {reason}" for reason in unstable]
    real = p < SIGNIFICANT and apart
    if unstable:
        return Change(what, figure, *speeds, None if real else real, "; ".join(notes))
    change, room = speeds[1] - speeds[0], max(before, after) * speeds[0]
    interval = Interval(change - room, change + room)
    return Change(what, figure, *speeds, real, "; ".join(notes), interval)


def _same(
    base: CostRecord | WorkloadCost,
    head: CostRecord | WorkloadCost,
    figures: Iterable[str],
    what: str,
    *,
    exact: bool,
) -> Iterator[Change]:
    """Figures that both have; without samples they are real only where they are counted."""
    for figure in figures:
        before, after = getattr(base, figure), getattr(head, figure)
        if before is not None and after is not None:
            real = before != after if exact else None
            one, other = float(before), float(after)
            yield Change(what, figure, one, other, real, "", Interval(other - one, other - one))
