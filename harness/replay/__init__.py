r"""Plays measured costs through pytest, so that pytest-benchmark can compare and gate them.

    HARNESS_RESULTS=results/cost pytest -p harness.replay --pyargs harness.replay.costs \
        --benchmark-storage=results/cost/benchmarks \
        --benchmark-compare=0001 --benchmark-compare-fail=mean:10%

The newest file under $HARNESS_RESULTS/benchmarks is played; nothing is measured anew. As a plugin
it says that the machine of the replay is the one that measured.
"""

from __future__ import annotations

from typing import Any

from harness.replay.newest import newest


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Else pytest-benchmark warns that the files were made on another machine than this process."""
    machine_info.clear()
    machine_info.update(newest()["machine_info"])
