"""What several processes measured, put together."""

from typing import Any

import pytest
from made_up import make_cost

from harness.profiling.measurement_rounds import pooled
from harness.results.records import CostRecord, WorkloadCost


def measured(seconds: float = 1.0, **changes: Any) -> CostRecord:
    """Steady samples of one process."""
    workload = WorkloadCost(
        mode="infer",
        duration_s=3.0,
        batch_size=2,
        samples_s=[seconds * (1 + 0.001 * number) for number in range(6)],
        audio_s_per_s=6 / seconds,
        joules_per_audio_hour=changes.pop("joules", None),
        unstable=changes.pop("unstable", []),
    )
    return make_cost(points=[workload], **changes)


def test_all_samples_count_and_speed_is_that_of_their_median() -> None:
    found = pooled(measured(1.0), measured(1.1))
    assert (found.rounds, found.wall_s) == (2, 2.0)
    (workload,) = found.points
    assert (
        workload.samples_s == measured(1.0).points[0].samples_s + measured(1.1).points[0].samples_s
    )
    assert workload.audio_s_per_s == pytest.approx(6 / 1.0525)


def test_processes_that_differ_show_in_the_spread_though_each_is_steady() -> None:
    assert pooled(measured(1.0), measured(1.05)).points[0].unstable == []
    apart = pooled(measured(1.0), measured(1.6))
    assert apart.points[0].unstable == ["samples spread by more than 25%"]


def test_spread_is_judged_anew_and_interference_is_kept() -> None:
    interference = "other programs took 30% of the processors"
    unstable = measured(unstable=["samples spread by more than 25%", interference])
    wide = unstable.points[0].model_copy(update={"samples_s": [1.0, 1.0, 1.0, 1.0, 1.0, 9.0]})
    found = pooled(unstable.model_copy(update={"points": [wide]}), pooled(measured(), measured()))
    assert found.rounds == 3
    assert found.points[0].unstable == [interference]


def test_peaks_are_the_highest_and_energy_is_the_mean() -> None:
    first = measured(joules=100.0, peak_rss_bytes=5, peak_gpu_bytes=None, load_s=1.0)
    second = measured(joules=140.0, peak_rss_bytes=4, peak_gpu_bytes=7, load_s=3.0)
    found = pooled(first, second)
    assert (found.peak_rss_bytes, found.peak_gpu_bytes, found.load_s) == (5, 7, 3.0)
    assert found.points[0].joules_per_audio_hour == 120.0
    assert found.torch_peak_allocated_bytes is None


def test_what_was_missing_in_one_round_is_kept_with_its_reason() -> None:
    found = pooled(measured(missing={"a": "once"}), measured(missing={"a": "again", "b": "too"}))
    assert found.missing == {"a": "once", "b": "too"}
