"""Costs as files of pytest-benchmark, made by its own classes.

<results>/<suite>/benchmarks/<machine>/NNNN_<suite>.json, which `pytest-benchmark compare` lists
and compares, and `harness.replay` plays again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pytest_benchmark.logger import Logger
from pytest_benchmark.plugin import (
    pytest_benchmark_generate_json,
    pytest_benchmark_generate_machine_info,
)
from pytest_benchmark.stats import Metadata
from pytest_benchmark.storage.file import FileStorage
from pytest_benchmark.utils import get_commit_info, get_machine_id

from harness.reporting.cost_tables import peak_share
from harness.results.records import CostRecord, WorkloadCost
from harness.results.statistics import METRICS

BENCHMARKS = "benchmarks"

_OPTIONS = {"timer": "perf_counter", "disable_gc": False, "warmup": True}

_IN_RECORD = (
    "cost_id",
    "load_s",
    "infer_peak_rss_bytes",
    "peak_rss_bytes",
    "peak_gpu_bytes",
    "peak_gpu_source",
    "gpu_baseline_bytes",
    "gpu_device_peak_bytes",
    "trainable_parameters",
    "total_parameters",
    "random_weights",
    "missing",
)
_IN_POINT = (
    "audio_s_per_s",
    "frames",
    "flops_per_audio_s",
    "joules_per_audio_hour",
    "torch_peak_allocated_bytes",
    "torch_peak_reserved_bytes",
    "unstable",
)


class _Measured:
    """What pytest-benchmark's Metadata takes from the fixture of a test."""

    has_error = False
    cprofile_stats = None

    def __init__(self, suite: str, ending: str, cost: CostRecord, point: WorkloadCost) -> None:
        shape = f"{point.duration_s:g}s-b{point.batch_size}"
        self.param = f"{_subject(cost)}{ending}-{shape}"
        self.name = f"{point.mode}[{self.param}]"
        self.fullname = f"suites/{suite}.yaml::{self.name}"
        self.group = f"{point.mode} {shape}"
        self.params = {
            "backbone": cost.trial.backbone.name,
            "finetune_layers": cost.trial.finetune_layers,
            "pooling": cost.trial.head.pooling,
            "precision": cost.precision,
            "mode": point.mode,
            "duration_s": point.duration_s,
            "batch_size": point.batch_size,
        }
        self.extra_info: dict[str, Any] = {name: getattr(cost, name) for name in _IN_RECORD}
        self.extra_info |= {name: getattr(point, name) for name in _IN_POINT}
        self.extra_info["peak_share"] = peak_share(cost, point)


def write_benchmarks(
    folder: Path, costs: Sequence[CostRecord], comparison: pd.DataFrame
) -> tuple[Path, ...]:
    """Write the next file of costs, one for all that were measured on one device.

    Args:
        folder: the suite's results
        costs: the measurements; those that failed are left out
        comparison: the quality that rides with a backbone at a depth, as `report.comparison`
            gives it
    """
    done = [cost for cost in costs if cost.status == "ok" and cost.points]
    storage = FileStorage(folder / BENCHMARKS, Logger(Logger.QUIET), get_machine_id())
    before = set(storage.query())
    for device in dict.fromkeys(cost.device for cost in done):
        own = [cost for cost in done if cost.device == device]
        content = pytest_benchmark_generate_json(
            config=None,
            benchmarks=_benchmarks(folder.name, own, comparison),
            include_data=True,
            machine_info=machine_info(own[0]),
            commit_info=get_commit_info("harness"),
        )
        storage.save(content, folder.name)
    return tuple(sorted(set(storage.query()) - before))


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


def _benchmarks(
    suite: str, costs: Sequence[CostRecord], comparison: pd.DataFrame
) -> list[Metadata]:
    uses = Counter(map(_subject, costs))
    found = []
    for cost in costs:
        # heads that differ share a name; their ids tell them apart in every run
        ending = f"-{cost.cost_id}" if uses[_subject(cost)] > 1 else ""
        quality = _quality(cost, comparison)
        for point in cost.points:
            measured = _Measured(suite, ending, cost, point)
            measured.extra_info |= quality
            benchmark = Metadata(measured, iterations=1, options=_OPTIONS)
            for seconds in point.samples_s:
                benchmark.update(seconds)
            found.append(benchmark)
    return found


def _subject(cost: CostRecord) -> str:
    trial = cost.trial
    return f"{trial.backbone.name}-n{trial.finetune_layers}-{cost.precision}"


def _quality(cost: CostRecord, comparison: pd.DataFrame) -> dict[str, Any]:
    """The test scores of the backbone at this depth, for each corpus it was tuned to."""
    if comparison.empty:
        return {}
    trial = cost.trial
    fits = (comparison["backbone"] == trial.backbone.name) & (
        comparison["finetune_layers"] == trial.finetune_layers
    )
    return {
        f"{row['corpus']}_{metric}": float(row[metric])
        for _, row in comparison[fits].iterrows()
        for metric in METRICS
        if pd.notna(row[metric])
    }
