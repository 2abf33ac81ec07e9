"""How far costs changed, beyond their own scatter."""

from typing import Any

import numpy as np
import pytest
from made_up import make_cost

from harness.results.comparison.cost_changes import counted_changes, measured_changes, pair_costs
from harness.results.noise import spread
from harness.results.records import CostRecord, WorkloadCost
from harness.specs import CostSpec


def cost(factor: float = 1.0, noise: float = 0.02, **changes: Any) -> CostRecord:
    """Inference at one shape, so many times as slow."""
    samples = factor * (1 + noise * np.random.default_rng(int(factor * 1e6)).random(12))
    point = WorkloadCost(
        mode="infer",
        duration_s=3.0,
        batch_size=8,
        samples_s=samples.tolist(),
        audio_s_per_s=24 / float(np.median(samples)),
        frames=149,
        flops_per_audio_s=7.0e9,
        unstable=changes.pop("unstable", []),
    )
    return make_cost(points=[point], total_parameters=94_000_000, **changes)


def speed(base: CostRecord, head: CostRecord) -> Any:
    changes = measured_changes(pair_costs([base], [head], any_device=True))
    return next(change for change in changes if change.figure == "infer_audio_s_per_s")


def test_a_slower_program_is_told_from_noise() -> None:
    slower = speed(cost(), cost(1.1))
    assert slower.real is True
    assert slower.relative == pytest.approx(-0.09, abs=0.02)
    assert speed(cost(noise=0.3), cost(1.001, noise=0.3)).real is False


def test_a_difference_within_the_stated_spread_is_not_real() -> None:
    """However sure the samples are: a machine may be as much slower a quarter of an hour later."""
    change = speed(cost(noise=0.3), cost(1.12, noise=0.3))
    assert change.noise.startswith("p = ")
    assert float(change.noise.removeprefix("p = ").partition(";")[0]) < 0.05
    assert change.real is False


def test_the_difference_of_a_speed_lies_within_the_larger_spread() -> None:
    change = speed(cost(noise=0.1), cost(1.05, noise=0.3))
    widest = spread(cost(1.05, noise=0.3).points[0].samples_s)
    assert change.interval.high - change.difference == pytest.approx(change.base * widest)
    assert change.difference - change.interval.low == pytest.approx(change.base * widest)


def test_what_is_unstable_or_sampled_too_little_has_no_interval() -> None:
    few = cost().points[0].model_copy(update={"samples_s": [1.0, 1.1]})
    assert speed(make_cost(points=[few]), make_cost(points=[few])).interval is None
    assert speed(cost(), cost(unstable=["samples spread by more than 10%"])).interval is None


def test_a_few_samples_cannot_tell_a_change_from_noise() -> None:
    few = cost().points[0].model_copy(update={"samples_s": [1.0, 1.1]})
    change = speed(make_cost(points=[few]), make_cost(points=[few]))
    assert change.real is None
    assert change.noise == "too few samples to know"


def test_whether_a_change_on_a_busy_machine_is_real_is_not_known() -> None:
    busy = ["another process used the GPU: PID 7"]
    change = speed(cost(), cost(2.0, unstable=busy))
    assert change.real is None
    assert "PID 7" in change.noise
    assert speed(cost(noise=0.3), cost(1.001, noise=0.3, unstable=busy)).real is False


def test_what_is_counted_is_exact_on_any_machine() -> None:
    same = list(
        counted_changes(pair_costs([cost()], [cost(1.5, device="another")], any_device=True))
    )
    assert {change.figure for change in same} == {
        "total_parameters", "frames", "flops_per_audio_s",
    }  # fmt: skip
    assert not any(change.real for change in same)
    grown = cost(device="another").model_copy(update={"total_parameters": 95_000_000})
    changes = {c.figure: c for c in counted_changes(pair_costs([cost()], [grown], any_device=True))}
    assert changes["total_parameters"].real is True
    assert changes["total_parameters"].difference == 1_000_000


def test_the_newest_good_measurement_of_the_same_thing_is_taken() -> None:
    old = cost(3.0, started_at="2025-01-01T00:00:00+00:00")
    failed = cost(status="failed", started_at="2027-01-01T00:00:00+00:00")
    ((base, _),) = pair_costs([old, cost(), failed], [cost()], any_device=False).both
    assert base == cost()


def test_points_pair_whatever_else_was_asked_for() -> None:
    head = cost(1.2)
    spec = CostSpec(durations_s=(3.0, 30.0), infer_steps=12)
    head = head.model_copy(update={"trial": head.trial.model_copy(update={"cost": spec})})
    assert speed(cost(), head).real is True


def test_other_depths_are_other_things() -> None:
    found = pair_costs([cost(layers=0)], [cost(layers=2)], any_device=True)
    assert found.both == ()
    assert [c.trial.finetune_layers for c in found.only_base + found.only_head] == [0, 2]


def test_a_folder_may_hold_several_devices() -> None:
    """Each is compared with itself, whichever was measured last."""
    base = [cost(device="cpu"), cost(device="H200", started_at="2027-01-01T00:00:00+00:00")]
    found = pair_costs(base, base[::-1], any_device=False)
    assert [(b.device, h.device) for b, h in found.both] == [("cpu", "cpu"), ("H200", "H200")]


def test_weights_in_another_folder_are_the_same_thing() -> None:
    head = cost()
    moved = head.trial.backbone.model_copy(update={"source": "/elsewhere"})
    head = head.model_copy(update={"trial": head.trial.model_copy(update={"backbone": moved})})
    assert len(pair_costs([cost()], [head], any_device=False).both) == 1
