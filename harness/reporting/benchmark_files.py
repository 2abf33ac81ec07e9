"""Costs as files of pytest-benchmark, made by its own classes.

<results>/<suite>/benchmarks/<machine>/NNNN_<suite>.json, which `pytest-benchmark compare` lists
and compares, and `harness.replay` plays again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pytest_benchmark.logger import Logger
from pytest_benchmark.plugin import (
    pytest_benchmark_generate_json,
    pytest_benchmark_generate_machine_info,
)
from pytest_benchmark.stats import Metadata
from pytest_benchmark.storage.file import FileStorage
from pytest_benchmark.utils import get_commit_info, get_machine_id

from harness.files import parse_json
from harness.reporting.columns import pick
from harness.reporting.cost_columns import COST_COLUMNS, MeasuredWorkload
from harness.reporting.report_model import Report
from harness.results.records import CostRecord

BENCHMARKS = "benchmarks"

_OPTIONS = {"timer": "perf_counter", "disable_gc": False, "warmup": True}

_PARAMETERS = pick(
    COST_COLUMNS,
    ("backbone", "finetune_layers", "pooling", "precision", "mode", "duration_s", "batch_size"),
)
_TIMES = ("p50_s", "p90_s", "p99_s", "samples", "spread")
"""What pytest-benchmark computes itself of the samples."""
_FACTS = [
    column for column in COST_COLUMNS if column not in _PARAMETERS and column.name not in _TIMES
]


class _Measured:
    """What pytest-benchmark's Metadata takes from the fixture of a test."""

    has_error = False
    cprofile_stats = None

    def __init__(self, suite: str, ending: str, measured: MeasuredWorkload) -> None:
        cost, workload = measured.cost, measured.workload
        shape = f"{workload.duration_s:g}s-b{workload.batch_size}"
        self.param = f"{_subject(cost)}{ending}-{shape}"
        self.name = f"{workload.mode}[{self.param}]"
        self.fullname = f"suites/{suite}.yaml::{self.name}"
        self.group = f"{workload.mode} {shape}"
        self.params = {column.name: column.raw(measured) for column in _PARAMETERS}
        self.extra_info: dict[str, Any] = {column.name: column.raw(measured) for column in _FACTS}
        self.extra_info |= {"random_weights": cost.random_weights, "missing": cost.missing}


def write_benchmarks(folder: Path, costs: Sequence[CostRecord], report: Report) -> tuple[Path, ...]:
    """Write the next file of costs, one for all that were measured on one device.

    A device whose latest file tells the same times needs none.

    Args:
        folder: the suite's results
        costs: the measurements; those that failed are left out
        report: has the scores that go with a backbone at its finetune_layers
    """
    done = [cost for cost in costs if cost.status == "ok" and cost.points]
    storage = FileStorage(folder / BENCHMARKS, Logger(Logger.QUIET), get_machine_id())
    before = set(storage.query())
    told = _latest_times(before)
    for device in dict.fromkeys(cost.device for cost in done):
        own = [cost for cost in done if cost.device == device]
        benchmarks = _benchmarks(folder.name, own, report)
        if told.get(device) == {each.fullname: each.stats.data for each in benchmarks}:
            continue
        content = pytest_benchmark_generate_json(
            config=None,
            benchmarks=benchmarks,
            include_data=True,
            machine_info=machine_info(own[0]),
            commit_info=get_commit_info("harness"),
        )
        storage.save(content, folder.name)
    return tuple(sorted(set(storage.query()) - before))


def _latest_times(files: Iterable[Path]) -> dict[str, dict[str, list[float]]]:
    """By device, the samples of each benchmark in the latest of some files."""
    found = {}
    for path in sorted(files):
        with suppress(OSError, ValueError, KeyError, TypeError):  # somebody else's file
            content = parse_json(path.read_text(encoding="utf-8"))
            found[content["machine_info"]["device"]] = {
                each["fullname"]: each["stats"]["data"] for each in content["benchmarks"]
            }
    return found


def machine_info(cost: CostRecord) -> dict[str, Any]:
    """What pytest-benchmark says of this machine, and what computed."""
    info: dict[str, Any] = pytest_benchmark_generate_machine_info()
    packages = cost.environment.get("packages") or {}
    known = ("threads", "cuda", "driver", "device_memory_bytes")
    return (
        info
        | {"device": cost.device, "torch": packages.get("torch")}
        | {name: cost.environment.get(name) for name in known}
    )


def _benchmarks(suite: str, costs: Sequence[CostRecord], report: Report) -> list[Metadata]:
    uses = Counter(map(_subject, costs))
    found = []
    for cost in costs:
        # heads that differ share a name; their ids tell them apart in every run
        ending = f"-{cost.cost_id}" if uses[_subject(cost)] > 1 else ""
        scores = _scores(cost, report)
        for workload in cost.points:
            measured = _Measured(suite, ending, MeasuredWorkload(cost, workload))
            measured.extra_info |= scores
            benchmark = Metadata(measured, iterations=1, options=_OPTIONS)
            for seconds in workload.samples_s:
                benchmark.update(seconds)
            found.append(benchmark)
    return found


def _subject(cost: CostRecord) -> str:
    trial = cost.trial
    return f"{trial.backbone.name}-n{trial.finetune_layers}-{cost.precision}"


def _scores(cost: CostRecord, report: Report) -> dict[str, float]:
    """The test scores of the backbone at this depth, for each corpus it was tuned to."""
    subject = cost.trial.backbone.name, cost.trial.finetune_layers
    return {
        f"{row.corpus}_{metric}": score.mean
        for row in report.rows
        if (row.backbone, row.finetune_layers) == subject
        for metric, score in row.scores.items()
    }
