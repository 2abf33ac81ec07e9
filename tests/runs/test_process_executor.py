"""Trials run in processes of their own: whatever ends one of those ends one trial, and no run."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pandas as pd
import psutil
import pytest
from quiet import Quiet
from unruly import install

from harness.config.suite_loading import load_suite
from harness.results.records import Record
from harness.results.store import CHECKPOINTS, ResultsStore
from harness.runs import growth, process_executor
from harness.runs.engines import Engine
from harness.runs.growth import Growth
from harness.runs.planning import make_plan
from harness.runs.process_executor import ProcessExecutor, WorkerPool
from harness.runs.run_summary import RunSummary
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.suite_run import run_plan

ROOT = Path(__file__).parents[2]
ONE = ("cost=null", "keep_models=none", "backbones=[tiny-emotion2vec]", "training.epochs=4")
LONG = (*ONE, "training.epochs=30", "matrix.finetune_layers=[1]", "must_beat_majority=false")
SIX = (*LONG, "backbones=[tiny-wavlm]", "training.epochs=15", "matrix.seed=[1, 2, 3, 4, 5, 6]")


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("frames")))
        yield


def run(
    folder: Path,
    *changes: str,
    workers: int = 1,
    reporter: Quiet | None = None,
    grows: bool = False,
) -> tuple[ResultsStore, RunSummary]:
    """Run smoke by processes with one thread each."""
    store = ResultsStore(folder)
    pool = WorkerPool(["cpu"] * workers, threads=1, grows=grows)
    try:
        summary = run_plan(
            make_plan(load_suite("smoke", changes)),
            store,
            reporter or Quiet(),
            RuntimeOptions("cpu", offline=True),
            engine=Engine(partial(ProcessExecutor, pool)),
        )
    finally:
        pool.close()
    return store, summary


def predictions(store: ResultsStore) -> list[pd.DataFrame]:
    return [store.read_predictions(record) for record in store.read_trials()]


def assert_same(one: ResultsStore, other: ResultsStore) -> None:
    for ours, theirs in zip(predictions(one), predictions(other), strict=True):
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
    metrics = [[r.metrics for r in store.read_trials()] for store in (one, other)]
    assert metrics[0] == metrics[1]


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> ResultsStore:
    """Of one trial that lasts some seconds, which nobody disturbed."""
    return run(tmp_path_factory.mktemp("undisturbed"), *LONG)[0]


@pytest.fixture(scope="module")
def six_by_one(tmp_path_factory: pytest.TempPathFactory) -> ResultsStore:
    """Of six trials that one worker did."""
    return run(tmp_path_factory.mktemp("six"), *SIX)[0]


class Meddler(Quiet):
    """Does something to the worker, once, after so many steps of training were told."""

    def __init__(self, deed: Callable[[int], object], steps: int = 60) -> None:
        super().__init__()
        self.deed, self.after, self.steps = deed, steps, 0

    def begin(self, task: str, total: int) -> int:
        return int("steps" in task)

    def advance(self, task: int, detail: str = "", steps: int = 1) -> None:
        if task == 0:
            return
        self.steps += steps
        if 0 < self.after <= self.steps:
            self.after = 0
            (worker,) = multiprocessing.active_children()
            assert worker.pid
            self.deed(worker.pid)


def test_two_workers_share_the_trials_of_a_backbone_and_find_what_one_finds(
    tmp_path: Path,
) -> None:
    one, _ = run(tmp_path / "one", *ONE)
    two, summary = run(tmp_path / "two", *ONE, workers=2)
    assert [record.status for record in summary.records] == ["ok"] * 3
    assert_same(one, two)
    assert {record.environment["threads"] for record in two.read_trials()} == {1}


@pytest.mark.slow
@pytest.mark.parametrize(("must_make", "at_the_end"), [(0.1, 2), (100.0, 1)])
def test_a_device_gets_a_second_worker_and_keeps_it_if_that_pays(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    six_by_one: ResultsStore,
    must_make: float,
    at_the_end: int,
) -> None:
    monkeypatch.setattr(growth, "PAYS", must_make)
    monkeypatch.setattr(process_executor, "Growth", partial(Growth, window_s=0.5))

    class Census(Quiet):
        def __init__(self) -> None:
            super().__init__()
            self.counts: list[int] = []

        def note(self, text: str) -> None:
            if "test UAR" in text:
                self.counts.append(len(multiprocessing.active_children()))

    census = Census()
    grown, summary = run(tmp_path / "grown", *SIX, workers=2, reporter=census, grows=True)
    assert [record.status for record in summary.records] == ["ok"] * 6
    assert max(census.counts) == 2
    assert census.counts[-2] == at_the_end
    assert_same(grown, six_by_one)


def test_a_killed_worker_costs_its_trial_and_the_next_run_goes_on_from_its_checkpoint(
    tmp_path: Path, long: ResultsStore
) -> None:
    killer = Meddler(lambda pid: os.kill(pid, signal.SIGKILL))
    often = (*LONG, "training.checkpoint_s=0.3")
    store, summary = run(tmp_path, *often, reporter=killer)
    (crashed,) = summary.records
    assert (crashed.status, summary.failed) == ("crashed", 1)
    assert crashed.error
    assert crashed.error.endswith("its process was ended by SIGKILL")
    assert list((store.trial(crashed.trial_id) / CHECKPOINTS).iterdir())
    counter = Meddler(lambda pid: None)
    store, again = run(tmp_path, *often, reporter=counter)
    (record,) = again.records
    assert record.fit
    assert record.fit.steps == 300
    assert counter.steps < record.fit.steps - 10  # those of before were not done twice
    assert not (store.trial(record.trial_id) / CHECKPOINTS).exists()
    assert_same(store, long)


def test_a_worker_that_hangs_beyond_its_limit_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_executor, "GRACE_S", 1.0)
    stopper = Meddler(lambda pid: os.kill(pid, signal.SIGSTOP))
    _, summary = run(tmp_path, *LONG, "training.time_limit_s=3", reporter=stopper)
    assert [record.status for record in summary.records] == ["timeout"]


def command(results: Path, *changes: str, more: tuple[str, ...] = ()) -> list[str]:
    settings = [part for change in changes for part in ("--set", change)]
    where = ["--results", str(results), "--device", "cpu", "--offline", "--threads", "1"]
    return [sys.executable, "-m", "harness", "run", "smoke", *where, *settings, *more]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "told"),
    [("SIGSEGV", "its process was ended by SIGSEGV"), ("exit", "its process exited with 0")],
)
def test_a_plug_in_that_ends_its_process_ends_one_trial(
    tmp_path: Path, how: str, told: str
) -> None:
    paths = os.pathsep.join([str(install(tmp_path / "installed")), str(ROOT)])
    changes = ("cost=null", "backbones=[unruly]", "matrix.finetune_layers=[0]", "training.epochs=2")
    done = subprocess.run(
        command(
            tmp_path, *changes, "matrix.seed=[1, 2, 3]", "must_beat_majority=false",
            more=("--frames", "off"),
        ),
        env=os.environ | {"PYTHONPATH": paths, "UNRULY": how},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    records = {
        record.trial.seed: record for record in ResultsStore(tmp_path / "smoke").read_trials()
    }
    assert {seed: record.status for seed, record in records.items()} == {
        1: "ok", 2: "crashed", 3: "ok",
    }  # fmt: skip
    error = str(records[2].error)
    assert error.endswith(told)
    assert ("unruly_plugin.py" in error) == (how == "SIGSEGV")  # where it was
    assert "2 of 3 trials ok" in done.stdout
    assert "seed 2: crashed" in done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_asked_to_stop_saves_first_and_goes_on_later(
    asked: signal.Signals, tmp_path: Path, long: ResultsStore
) -> None:
    process = subprocess.Popen(
        command(tmp_path, *LONG),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for(lambda: "[1/1]" in read_line(process))
    time.sleep(1.0)
    os.killpg(process.pid, asked)  # all processes at once, as a terminal and a cluster do
    told, errors = process.communicate(timeout=60)
    assert process.returncode == 130, told + errors
    assert "saving what is at work" in told
    assert "the same command goes on from there" in errors
    store = ResultsStore(tmp_path / "smoke")
    assert list(store.trials.glob(f"*/{CHECKPOINTS}/fit-0.pt"))
    done = subprocess.run(command(tmp_path, *LONG), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_same(store, long)


@pytest.mark.slow
def test_workers_end_with_the_run_that_started_them(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path, *LONG), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    wait_for(lambda: "[1/1]" in read_line(process))
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


SCRIPT = """
import harness

changes = ["cost=null", "backbones=[logmel]", "matrix.finetune_layers=[0]", "training.epochs=1"]
plan = harness.plan("smoke", changes=[*changes, "must_beat_majority=false"])
print(harness.run(plan, results="results").summary.line())
"""


@pytest.mark.slow
def test_a_script_need_not_expect_that_other_processes_start(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 of 1 trials ok" in done.stdout, done.stderr


def read_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline()


def wait_for(what: Callable[[], bool], patience_s: float = 60.0) -> None:
    deadline = time.monotonic() + patience_s
    while not what():
        assert time.monotonic() < deadline


def test_only_trials_that_ended_so_are_tried_again(tmp_path: Path) -> None:
    store, summary = run(tmp_path, *ONE, "matrix.finetune_layers=[0]")
    (done,) = summary.records
    crashed: Record = done.model_copy(update={"status": "crashed", "error": "made up"})
    store.write_trial(crashed, None)
    plan = make_plan(load_suite("smoke", [*ONE, "matrix.finetune_layers=[0]"]))
    options = RuntimeOptions("cpu", offline=True)
    kept = run_plan(plan, store, Quiet(), options, retry=["oom"])
    assert [record.status for record in kept.records] == ["crashed"]
    assert kept.failed == 1
    again = run_plan(plan, store, Quiet(), options, retry=["oom", "crashed"])
    assert [record.status for record in again.records] == ["ok"]
