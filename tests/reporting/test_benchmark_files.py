"""Files of pytest-benchmark, read by pytest-benchmark's own commands."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.utils import get_machine_id

from harness.reporting.benchmark_files import write_benchmarks


def written(folder: Path, run: Any, costs: Any) -> tuple[Path, ...]:
    return write_benchmarks(folder, costs, run.report())


def slower(cost: Any, factor: float) -> Any:
    workloads = [
        workload.model_copy(update={"samples_s": [factor * s for s in workload.samples_s]})
        for workload in cost.points
    ]
    return cost.model_copy(update={"points": workloads})


def benchmark_command(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest_benchmark", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def replay(results: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "harness.replay",
        "--pyargs",
        "harness.replay.costs",
        "-p",
        "no:cacheprovider",
    ]
    return subprocess.run(
        [*command, *map(str, arguments)],
        env=os.environ | {"HARNESS_RESULTS": str(results)},
        capture_output=True,
        text=True,
    )


def test_files_are_numbered_and_lie_where_pytest_benchmark_looks(run: Any, tmp_path: Path) -> None:
    again = [slower(cost, 2.0) for cost in run.costs]
    first, second = (written(tmp_path / "cost", run, costs) for costs in (run.costs, again))
    machine = tmp_path / "cost" / "benchmarks" / get_machine_id()
    assert first == (machine / "0001_cost.json",)
    assert second == (machine / "0002_cost.json",)


def test_times_that_the_latest_file_tells_are_not_written_again(run: Any, tmp_path: Path) -> None:
    assert written(tmp_path, run, run.costs)
    (tmp_path / "benchmarks" / get_machine_id() / "0002_other.json").write_text("[]")
    assert not written(tmp_path, run, run.costs)
    assert written(tmp_path, run, [slower(cost, 2.0) for cost in run.costs])


def test_names_are_stable_and_parameters_tell_costs_apart(run: Any, tmp_path: Path) -> None:
    (path,) = written(tmp_path / "cost", run, run.costs)
    content = json.loads(path.read_text())
    names = [benchmark["fullname"] for benchmark in content["benchmarks"]]
    assert names[0] == "suites/cost.yaml::infer[wavlm-base-n0-None-3s-b1]"
    assert len(set(names)) == len(names) == 5
    assert content["benchmarks"][1]["params"]["batch_size"] == 8
    assert content["machine_info"]["device"] == "cpu"
    assert "torch" in content["machine_info"]
    stats = content["benchmarks"][0]["stats"]
    assert (stats["data"], stats["rounds"], stats["median"]) == ([1.0], 1, 1.0)


def test_scores_and_memory_go_with_the_speeds(run: Any, tmp_path: Path) -> None:
    (path,) = written(tmp_path / "cost", run, run.costs)
    info = json.loads(path.read_text())["benchmarks"][0]["extra_info"]
    row = run.report().rows[0]
    assert (row.backbone, row.finetune_layers) == ("wavlm-base", 0)
    assert info["ravdess_uar"] == pytest.approx(row.scores["uar"].mean)
    assert (info["unstable"], info["missing"], info["random_weights"]) == (None, {}, False)
    assert info["peak_rss_bytes"] == 2**30
    assert info["peak_gpu_bytes"] is None


def test_costs_that_share_a_name_are_told_apart_by_their_ids(
    run: Any, cost: Any, tmp_path: Path
) -> None:
    costs = [cost(cost_id="one"), cost(cost_id="two")]
    (path,) = written(tmp_path / "cost", run, costs)
    names = [benchmark["name"] for benchmark in json.loads(path.read_text())["benchmarks"]]
    assert len(set(names)) == 10
    assert names[0] == "infer[wavlm-base-n0-None-one-3s-b1]"


def test_each_device_has_a_file_of_its_own(run: Any, cost: Any, tmp_path: Path) -> None:
    files = written(tmp_path / "cost", run, [cost(), cost(device="H200"), cost(status="failed")])
    devices = [json.loads(path.read_text())["machine_info"]["device"] for path in files]
    assert devices == ["cpu", "H200"]


def test_without_costs_nothing_is_written(run: Any, tmp_path: Path) -> None:
    assert written(tmp_path / "cost", run, []) == ()


def test_pytest_benchmark_compares_and_groups_them(run: Any, cost: Any, tmp_path: Path) -> None:
    """A contract: its real command on the real files."""
    written(tmp_path / "cost", run, run.costs)
    written(tmp_path / "cost", run, [slower(cost(), 2.0)])
    storage = f"--storage={tmp_path / 'cost' / 'benchmarks'}"
    listed = benchmark_command(storage, "list")
    assert listed.stdout.count("_cost.json") == 2, listed.stderr
    compared = benchmark_command(storage, "compare", "--group-by=param:mode,param:batch_size")
    assert compared.returncode == 0, compared.stderr
    assert re.search(r"batch_size=8.*mode=infer|mode=infer.*batch_size=8", compared.stdout)
    assert compared.stdout.count("infer[wavlm-base-n0-None-3s-b8]") == 2
    by_name = benchmark_command(
        storage, "compare", "--group-by=fullname", "--columns=median,rounds"
    )
    assert "2.0000 (2.00)" in by_name.stdout


def test_a_replay_gates_a_slower_program(run: Any, cost: Any, tmp_path: Path) -> None:
    results = tmp_path / "cost"
    storage = f"--benchmark-storage={results / 'benchmarks'}"
    written(results, run, run.costs)
    gate = (storage, "--benchmark-compare=0001", "--benchmark-compare-fail=mean:10%")
    same = replay(results, *gate)
    assert same.returncode == 0, same.stdout + same.stderr
    assert "5 passed" in same.stdout
    written(results, run, [slower(cost(), 1.2)])
    fails = replay(results, *gate)
    assert fails.returncode != 0
    assert "Performance has regressed" in fails.stdout + fails.stderr
    loose = replay(
        results, storage, "--benchmark-compare=0001", "--benchmark-compare-fail=mean:30%"
    )
    assert loose.returncode == 0, loose.stdout + loose.stderr


def test_a_replay_of_nothing_says_what_is_missing(tmp_path: Path) -> None:
    answer = replay(tmp_path)
    assert answer.returncode != 0
    assert f"no benchmarks in {tmp_path}: set HARNESS_RESULTS" in answer.stdout + answer.stderr
