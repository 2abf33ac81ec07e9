r"""Plays measured costs through pytest, so that pytest-benchmark can compare and gate them.

    HARNESS_RESULTS=results/cost pytest -p harness.replay --pyargs harness.replay.costs \
        --benchmark-storage=results/cost/benchmarks \
        --benchmark-compare=0001 --benchmark-compare-fail=mean:10%

The newest file under $HARNESS_RESULTS/benchmarks is played; nothing is measured anew. As a plugin
it says that the machine of the replay is the one that measured.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Else pytest-benchmark warns that the files were made on another machine than this process."""
    machine_info.clear()
    machine_info.update(newest()["machine_info"])


VARIABLE = "HARNESS_RESULTS"


def newest() -> dict[str, Any]:
    """The newest file of benchmarks under the results that $HARNESS_RESULTS names.

    Raises:
        pytest.UsageError: there is none.
    """
    results = Path(os.environ.get(VARIABLE, "."))
    files = (results / "benchmarks").glob("*/[0-9]*_*.json")
    found = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    if not found:
        raise pytest.UsageError(
            f"no benchmarks in {results}: set {VARIABLE} to the results of a suite whose costs "
            "were measured, for example results/cost"
        )
    return dict(max(found, key=lambda content: str(content["datetime"])))
