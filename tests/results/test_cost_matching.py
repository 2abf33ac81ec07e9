"""Which cost counts, for the report and for `compare` alike."""

from typing import Any

from harness.results.comparison.cost_changes import pair_costs
from harness.results.cost_matching import cost_lookup, newest_costs, representative
from harness.specs import CostSpec

OLD, NEW, NEWEST = (f"{year}-01-01T00:00:00+00:00" for year in (2025, 2026, 2027))


def moved(cost: Any, folder: str) -> Any:
    """The same measurement of weights that lie elsewhere."""
    backbone = cost.trial.backbone.model_copy(update={"source": folder})
    return cost.model_copy(update={"trial": cost.trial.model_copy(update={"backbone": backbone})})


def test_the_newest_that_ended_well_counts(trial: Any, cost: Any) -> None:
    costs = [
        cost(device="new", started_at=NEW),
        cost(device="old", started_at=OLD),
        cost(device="failed", status="failed", started_at=NEWEST),
        cost(device="other", layers=1, started_at=NEWEST),
    ]
    found = cost_lookup(costs)(trial())
    assert found is not None
    assert found.device == "new"
    assert cost_lookup(costs)(trial("logmel")) is None


def test_it_counts_wherever_its_weights_lie_and_whatever_else_was_measured(
    trial: Any, cost: Any
) -> None:
    newer = moved(cost(device="new", started_at=NEWEST), "/elsewhere")
    spec = CostSpec(durations_s=(3.0, 30.0), infer_steps=12)
    newer = newer.model_copy(update={"trial": newer.trial.model_copy(update={"cost": spec})})
    found = cost_lookup([newer, cost()])(trial())
    assert found is not None
    assert found.device == "new"


def test_a_report_and_compare_choose_the_same_cost(run: Any, cost: Any) -> None:
    run.costs[:] = [
        cost(peak_rss_bytes=1, started_at=OLD),
        moved(cost(peak_rss_bytes=2, device="H200", started_at=NEW), "/elsewhere"),
        cost(peak_rss_bytes=3, started_at=OLD),
        cost(peak_rss_bytes=4, status="oom", started_at=NEWEST),
    ]
    ((compared, _),) = pair_costs(run.costs, run.costs, any_device=True).both
    reported = run.report().rows[0].cost
    assert reported.peak_rss_bytes == compared.peak_rss_bytes == 2
    run.costs.reverse()
    assert run.report().rows[0].cost == reported


def test_each_device_keeps_its_own_where_asked(cost: Any) -> None:
    costs = [cost(device="cpu"), cost(device="H200", started_at=NEWEST), cost(started_at=OLD)]
    found = newest_costs(costs, per_device=True).values()
    assert [(c.device, c.started_at) for c in found] == [("cpu", NEW), ("H200", NEWEST)]


def test_the_largest_batch_at_the_first_duration_represents_a_mode(cost: Any) -> None:
    workloads = cost().points
    found = representative(workloads, "infer")
    assert found is not None
    assert (found.duration_s, found.batch_size) == (3.0, 8)
    assert representative(workloads, "train_end_to_end") is None


def test_unstable_speeds_are_known_as_such(trial: Any, cost: Any) -> None:
    workloads = [w.model_copy(update={"unstable": ["it scatters"]}) for w in cost().points]
    quiet, scattered = (cost_lookup([c])(trial()) for c in (cost(), cost(points=workloads)))
    assert quiet is not None
    assert scattered is not None
    assert (quiet.unstable, scattered.unstable) == (False, True)
