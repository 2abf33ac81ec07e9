"""The table of costs: quantiles, shares, and what qualifies them."""

from typing import Any

import numpy as np
import pytest

from harness.reporting.cost_tables import costs_frame, costs_markdown, write_costs
from harness.results.records import WorkloadCost


@pytest.fixture
def measured(cost: Any) -> Any:
    point = WorkloadCost(
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
        points=[point],
        precision="bf16",
        matmul_peak_flops=400e9,
        missing={"peak_gpu_bytes": "the work ran on the CPU"},
    )


def test_one_row_a_point_with_quantiles_of_its_raw_samples(measured: Any) -> None:
    (row,) = costs_frame([measured]).to_dict("records")
    samples = measured.points[0].samples_s
    for name, share in (("p50_s", 0.5), ("p90_s", 0.9), ("p99_s", 0.99)):
        assert row[name] == pytest.approx(np.quantile(samples, share))
    assert row["spread"] == pytest.approx((row["p90_s"] - np.quantile(samples, 0.1)) / row["p50_s"])
    assert row["peak_share"] == pytest.approx(7.0e9 * 24 / 0.595 / 400e9)
    assert row["samples"] == 20


def test_readers_are_told_what_is_unstable_and_what_is_missing(measured: Any) -> None:
    text = costs_markdown([measured])
    assert "| UNSTABLE |" in text
    assert "UNSTABLE: another process used the GPU: PID 7" in text
    assert "peak_gpu_bytes is missing: the work ran on the CPU" in text
    assert "400 to 400 GFLOP/s in bf16 on cpu" in text


def test_what_was_not_measured_is_a_dash_and_a_failure_is_named(cost: Any) -> None:
    failed = cost(status="oom", points=[], error="MemoryError: 8 GiB")
    text = costs_markdown([cost(), failed])
    assert "oom: MemoryError: 8 GiB" in text
    row = next(line for line in text.splitlines() if line.startswith("| wavlm-base"))
    assert [cell.strip() for cell in row.split("|")][-5:-1] == ["–", "–", "–", ""]


def test_both_forms_are_written(measured: Any, tmp_path: Any) -> None:
    paths = write_costs(tmp_path, [measured])
    assert [path.name for path in paths] == ["costs.csv", "costs.md"]
    assert all(path.stat().st_size for path in paths)


def test_rows_stand_as_in_the_comparison(cost: Any) -> None:
    costs = [
        cost("wavlm-base", "all"),
        cost("emotion2vec_base", 0),
        cost("wavlm-base", 3),
        cost("wavlm-base", 0),
    ]
    frame = costs_frame(costs).drop_duplicates(["backbone", "finetune_layers"])
    assert list(zip(frame["backbone"], frame["finetune_layers"], strict=True)) == [
        ("wavlm-base", 0), ("wavlm-base", 3), ("wavlm-base", "all"), ("emotion2vec_base", 0),
    ]  # fmt: skip
