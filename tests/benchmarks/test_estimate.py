"""An estimate beside the truth. Wants an idle machine.

pytest tests/benchmarks/test_estimate.py -s
"""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.profiling.estimation.forecast import Amount


def test_an_estimate_comes_true_within_a_factor_of_three(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))  # in which no frames are yet
    how = ("--estimate", "--device", "cpu", "--set", "cost=null")
    answer = cli("run", "smoke", "--results", tmp_path, *how)
    assert answer.code == 0, answer.err
    groups = json.loads((tmp_path / "smoke" / "estimate.json").read_text())["groups"]
    for group in groups:
        expected, taken = (Amount(**group[name]).wall_s for name in ("expected", "taken"))
        print(f"\n{group['backbone']}: estimated {expected:.1f} s, took {taken:.1f} s", end="")
        assert 1 / 3 < expected / taken < 3
