"""How much faster two workers are than one, where launches and not arithmetic take the time.

    pytest tests/benchmarks/test_workers.py -s

Tiny networks on two cores stand in for a GPU that is kept busy by more than one process. One thread
a worker on both sides; from the first trial that begins to the last that ends, so without starting
up.
"""

import time
from pathlib import Path

from quiet import Quiet
from tabulate import tabulate

import harness
from harness.runs.runtime_options import RuntimeOptions

AT_LEAST = 1.6
LASTS_S = 60.0
SUITE = (
    "cost=null",
    "keep_models=none",
    "must_beat_majority=false",
    "matrix.finetune_layers=[1]",
    "training.epochs=70",
    "training.batch_seconds=4",
)


class Watch(Quiet):
    """When trials began and ended."""

    def __init__(self) -> None:
        super().__init__()
        self.began: list[float] = []
        self.ended: list[float] = []

    def note(self, text: str) -> None:
        if text.startswith("["):
            self.began.append(time.monotonic())
        if "test UAR" in text:
            self.ended.append(time.monotonic())


def training_s(results: Path, jobs: int | None, threads: int | None) -> float:
    """Of two backbones, whose frames are kept already."""
    watch = Watch()
    options = RuntimeOptions("cpu", offline=True, jobs=jobs, threads=threads)
    ran = harness.run("smoke", changes=SUITE, results=results, options=options, reporter=watch)
    assert [record.status for record in ran.summary.records] == ["ok", "ok"]
    return watch.ended[-1] - watch.began[0]


def test_two_workers_are_faster_than_one(tmp_path: Path) -> None:
    frames = ("training.epochs=1", *SUITE[:-2])
    harness.run(
        "smoke", changes=frames, results=tmp_path / "frames", options=RuntimeOptions(offline=True)
    )
    cases = {
        "one worker, one thread": (1, 1),
        "two workers, one thread each": (2, 1),
        "one worker, all cores (default)": (1, None),
        "--jobs auto": (None, None),
    }
    took = {name: training_s(tmp_path / name, *case) for name, case in cases.items()}
    one, two, *_ = took.values()
    rows = [(name, seconds, one / seconds) for name, seconds in took.items()]
    headers = ("", "training, s", "times as fast")
    print("\n" + tabulate(rows, headers=headers, floatfmt=("", ".1f", ".2f")))
    assert one > LASTS_S
    assert one / two >= AT_LEAST
