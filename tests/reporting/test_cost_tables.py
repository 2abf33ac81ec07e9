"""The table of costs: quantiles, shares, and what qualifies them."""

import csv
import io
from typing import Any

import numpy as np
import pytest
from made_up import MadeUpRun

from harness.reporting.cost_tables import costs_markdown
from harness.reporting.data_frames import costs_frame
from harness.reporting.report_model import Report
from harness.results.records import WorkloadCost


def report_of_costs(*costs: Any) -> Report:
    return MadeUpRun(costs=[*costs]).report()


@pytest.fixture
def measured(cost: Any) -> Any:
    workload = WorkloadCost(
        mode="infer",
        duration_s=3.0,
        batch_size=8,
        samples_s=[0.5 + 0.01 * number for number in range(20)],
        audio_s_per_s=24 / 0.595,
        frames=149,
        flops_per_audio_s=7.0e9,
        joules_per_audio_hour=150.0,
        unstable=["another process used the GPU: PID 7"],
    )
    return cost(
        points=[workload],
        precision="bf16",
        matmul_peak_flops=400e9,
        missing={"peak_gpu_bytes": "the work ran on the CPU"},
    )


def test_one_row_a_workload_with_quantiles_of_its_raw_samples(measured: Any) -> None:
    (row,) = costs_frame(report_of_costs(measured)).to_dict("records")
    samples = measured.points[0].samples_s
    for name, share in (("p50_s", 0.5), ("p90_s", 0.9), ("p99_s", 0.99)):
        assert row[name] == pytest.approx(np.quantile(samples, share))
    assert row["spread"] == pytest.approx((row["p90_s"] - np.quantile(samples, 0.1)) / row["p50_s"])
    assert row["peak_share"] == pytest.approx(7.0e9 * 24 / 0.595 / 400e9)
    assert row["samples"] == 20


def test_readers_are_told_what_is_unstable_and_what_is_missing(measured: Any) -> None:
    text = costs_markdown(report_of_costs(measured))
    assert "| UNSTABLE |" in text
    assert "UNSTABLE: another process used the GPU: PID 7" in text
    assert "peak_gpu_bytes is missing: the work ran on the CPU" in text
    assert "400 to 400 GFLOP/s in bf16 on cpu" in text


def test_what_was_not_measured_is_a_dash_and_a_failure_is_named(cost: Any) -> None:
    failed = cost(status="oom", points=[], error="MemoryError: 8 GiB")
    text = costs_markdown(report_of_costs(cost(), failed))
    assert "oom: MemoryError: 8 GiB" in text
    row = next(line for line in text.splitlines() if line.startswith("| wavlm-base"))
    assert [field.strip() for field in row.split("|")][-5:-1] == ["–", "–", "–", ""]


def test_a_whole_number_stays_whole_where_another_is_missing(measured: Any, cost: Any) -> None:
    text = costs_frame(report_of_costs(measured, cost())).to_csv(index=False)
    frames = [row["frames"] for row in csv.DictReader(io.StringIO(text))]
    assert sorted(frames) == ["", "", "", "", "", "149"]
