"""One benchmark for each cost, whose clock says what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import pytest

from harness.replay import newest


class Clock:
    """A timer on which each second reading is a measured time after the one before it."""

    __name__ = "replayed"

    def __init__(self, samples_s: Sequence[float]) -> None:
        self._readings = chain.from_iterable((0.0, sample_s) for sample_s in samples_s)

    def __call__(self) -> float:
        """The next reading, in seconds."""
        return next(self._readings)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each cost."""
    metafunc.parametrize(
        "cost",
        [
            pytest.param(
                cost,
                id=cost["name"],
                marks=pytest.mark.benchmark(
                    group=cost["group"], timer=Clock(cost["stats"]["data"])
                ),
            )
            for cost in newest()["benchmarks"]
        ],
    )


def test_cost(benchmark: Any, cost: dict[str, Any]) -> None:
    """Let the clock run under the name by which the cost was measured."""
    for name in ("name", "fullname", "param", "params", "extra_info"):
        setattr(benchmark, name, cost[name])
    benchmark.pedantic(lambda: None, rounds=len(cost["stats"]["data"]))
