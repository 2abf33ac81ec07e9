"""What twelve settings of a head cost, beside one: the whole trial, from kept frames.

    pytest tests/benchmarks/test_choices.py -s

The settings share the gather, the pass and the scales; each has its optimiser and its dev scores.
"""

from pathlib import Path
from statistics import median

import pytest
from quiet import Quiet
from tabulate import tabulate

from harness.config.suite_loading import load_suite
from harness.results.store import ResultsStore
from harness.runs.planning import make_plan
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.suite_run import run_plan

AT_MOST = 3.0
ROUNDS = 3
ONE = (
    "cost=null",
    "keep_models=none",
    "matrix.finetune_layers=[0]",
    "head.pooling=statistics",
    "head.head_dim=256",
    "head.dropout=0.5",
    "training.epochs=null",
    "training.batch_seconds=32",
)
TWELVE = (
    "training.learning_rate.head={choose: [3e-4, 6e-4, 1e-3, 3e-3]}",
    "training.weight_decay={choose: [0.0, 0.01, 0.1]}",
)
NETWORKS = ("logmel", "{name: whisper-base, init: random}")


def trial_s(folder: Path, *changes: str) -> float:
    store = ResultsStore(folder)
    run_plan(make_plan(load_suite("smoke", changes)), store, Quiet(), RuntimeOptions(offline=True))
    (record,) = store.read_trials()
    assert record.status == "ok", record.error
    assert record.fit is not None
    assert record.fit.steps >= 900
    return record.wall_s


@pytest.mark.parametrize("network", NETWORKS)
def test_twelve_settings_cost_at_most_three_times_one(tmp_path: Path, network: str) -> None:
    own = (*ONE, f"backbones=[{network}]")
    trial_s(tmp_path / "first", *own)  # computes the frames, and imports what a fit imports
    rounds = [
        (
            trial_s(tmp_path / f"one-{number}", *own),
            trial_s(tmp_path / f"twelve-{number}", *own, *TWELVE),
        )
        for number in range(ROUNDS)
    ]
    one_s, twelve_s = (median(found) for found in zip(*rounds, strict=True))
    ratio = median(twelve / one for one, twelve in rounds)
    row = [network, f"{one_s:.1f}", f"{twelve_s:.1f}", f"{ratio:.2f}"]
    print(f"\n\n{tabulate([row], ['network', 'one s', 'twelve s', 'ratio'])}\n")
    assert ratio < AT_MOST
