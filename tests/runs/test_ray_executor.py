"""A run on a real cluster of two nodes, one of which is lost, finds what one process finds."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
from quiet import Quiet
from ray.cluster_utils import Cluster
from unruly import install

import harness
from harness.api import RunResult
from harness.results.store import CHECKPOINTS, ResultsStore
from harness.runs.runtime_options import RuntimeOptions

ROOT = Path(__file__).parents[2]
SMOKE = (
    "cost=null",
    "matrix.finetune_layers=[0, 1]",
    "training.epochs=6",
    "training.checkpoint_s=0.3",
    "must_beat_majority=false",
    "keep_models=none",
)
LONG = (
    *SMOKE,
    "backbones=[tiny-emotion2vec]",
    "matrix.finetune_layers=[1]",
    "training.epochs=40",
)
UNRULY = (*SMOKE, "backbones=[unruly]", "matrix={finetune_layers: [0], seed: [1, 2, 3]}")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Of two nodes with a core each; processes inherit what they find of the environment here."""
    folder = tmp_path_factory.mktemp("cluster")
    installed = install(folder / "installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(folder / "cache"))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(installed), str(ROOT)]))
        patch.setenv("UNRULY", "SIGSEGV")
        cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
        )
        patch.setenv("RAY_ADDRESS", cluster.address)
        cluster.add_node(num_cpus=1)
        yield cluster
        cluster.shutdown()


def run(results: Path, engine: str, *changes: str, reporter: Quiet | None = None) -> RunResult:
    options = RuntimeOptions("cpu", offline=True, engine=engine, threads=1)
    return harness.run(
        "smoke",
        changes=changes,
        results=results,
        options=options,
        reporter=reporter or Quiet(),
    )


def assert_same(one: Path, other: Path) -> None:
    ours, theirs = ResultsStore(one), ResultsStore(other)
    for mine, yours in zip(ours.read_trials(), theirs.read_trials(), strict=True):
        assert (mine.trial_id, mine.metrics) == (yours.trial_id, yours.metrics)
        frames = (ours.read_predictions(mine), theirs.read_predictions(yours))
        pd.testing.assert_frame_equal(*frames, check_exact=True)
    assert not list(ours.trials.glob(f"*/{CHECKPOINTS}"))


class Vandal(Quiet):
    """Does something once two trials are at work."""

    def __init__(self, deed: Callable[[], object]) -> None:
        super().__init__()
        self.deed, self.begun = deed, 0

    def note(self, text: str) -> None:
        super().note(text)
        self.begun += text.startswith("[")
        if self.begun == 2:
            self.begun = 3
            self.deed()


def test_what_a_lost_node_was_at_is_done_on_another_and_nothing_differs(
    cluster: Any, tmp_path: Path
) -> None:
    second = next(node for node in cluster.worker_nodes)
    vandal = Vandal(lambda: cluster.remove_node(second, allow_graceful=False))
    try:
        on_cluster = run(tmp_path / "cluster", "ray", *SMOKE, reporter=vandal)
    finally:
        cluster.add_node(num_cpus=1)
    told = [note for note in vandal.notes if "what it was at is run again" in note]
    print(f"\nlost: {len(told)} worker; {on_cluster.summary.line()}")
    assert re.search("node it was running on is dead", told[0])
    assert [record.status for record in on_cluster.summary.records] == ["ok"] * 4
    assert {record.environment["threads"] for record in on_cluster.summary.records} == {1}
    inline = run(tmp_path / "inline", "inline", *SMOKE)
    assert_same(on_cluster.folder, inline.folder)


def test_a_worker_that_dies_ends_one_trial_and_costs_are_measured_on_a_node(
    cluster: Any, tmp_path: Path
) -> None:
    cost = "cost={durations_s: [1], batch_sizes: [1], rounds: 1, infer_steps: 1, train_steps: 1}"
    changes = [*UNRULY, cost, "training.epochs=1"]
    done = subprocess.run(
        [*command(*changes), "--frames", "off"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    store = ResultsStore(tmp_path / "smoke")
    records = {record.trial.seed: record for record in store.read_trials()}
    statuses = {seed: records[seed].status for seed in sorted(records)}
    assert statuses == {1: "ok", 2: "crashed", 3: "ok"}
    assert "its worker was lost: The worker died unexpectedly" in str(records[2].error)
    (measured,) = store.read_costs()
    assert (measured.status, measured.environment["threads"]) == ("ok", 1)


def test_a_driver_that_is_stopped_and_one_that_is_killed_go_on_when_started_again(
    cluster: Any, tmp_path: Path
) -> None:
    store = ResultsStore(tmp_path / "smoke")
    for ended_by, code in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
        began = time.time()
        process = subprocess.Popen(
            command(), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        wait_for(lambda since=began: saved_since(store, since))
        process.send_signal(ended_by)
        told, errors = process.communicate(timeout=60)
        assert process.returncode == code, told + errors
        assert ("saving what is at work" in told) == (ended_by == signal.SIGINT)
        wait_for(lambda: not at_work())
    done = subprocess.run(command(), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (record,) = store.read_trials()
    assert record.fit
    assert record.fit.steps == 400
    inline = run(tmp_path / "inline", "inline", *LONG)
    assert_same(store.folder, inline.folder)


def saved_since(store: ResultsStore, when: float) -> bool:
    found = store.trials.glob(f"*/{CHECKPOINTS}/fit-0.pt")
    return any(path.stat().st_mtime > when for path in found)


def command(*changes: str) -> list[str]:
    """With a relative path, which belongs to the folder of the driver and of no node."""
    settings = [part for change in changes or LONG for part in ("--set", change)]
    where = ["--results", ".", "--device", "cpu", "--offline", "--threads", "1"]
    return [sys.executable, "-m", "harness", "run", "smoke", "--engine", "ray", *where, *settings]


def at_work() -> list[psutil.Process]:
    """Processes of Ray that are at a task of ours."""
    titles = ((process, process.info["cmdline"]) for process in psutil.process_iter(["cmdline"]))
    ours = "ray::tiny-emotion2vec"
    return [process for process, title in titles if title and title[0].startswith(ours)]


def wait_for(what: Callable[[], Any], patience_s: float = 60.0) -> None:
    deadline = time.monotonic() + patience_s
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)
