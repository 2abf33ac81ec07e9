"""Nothing is lost to a kill, wherever it comes, and hardly anything is done twice."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from harness.results.store import CHECKPOINTS, ResultsStore

ROOT = Path(__file__).parents[2]
CHECKPOINT_S = 1.0
PHASES = ("reading", "extraction", "training", "evaluation", "writing", "cost", "report")
MOMENTS = (
    "reading:20", "extraction:1", "extraction:1", "extraction:1", "training:1", "training:300",
    "training:300", "training:300", "training:300", "evaluation:1", "writing:1", "training:300",
    "training:300", "training:300", "training:300", "evaluation:2", "writing:1", "cost:1",
    "cost:1", "report:1",
)  # fmt: skip
WORKERS_DIE_AT = "extraction:1,training:300,evaluation:1,cost:1"
SUITE = (
    "backbones=[tiny-emotion2vec]",  # which imports no transformers
    "matrix.finetune_layers=[1]",
    "matrix.seed=[1, 2]",
    "training.epochs=30",
    "training.batch_seconds=4",
    f"training.checkpoint_s={CHECKPOINT_S}",
    "must_beat_majority=false",
    "keep_models=none",
)


def run(folder: Path, kill_at: str, whom: str = "group") -> int:
    """Run smoke with one worker until all of it is killed, or its process alone is."""
    folder.mkdir(exist_ok=True)
    log = folder / "log.txt"
    log.touch()
    command = [sys.executable, "-m", "harness", "run", "smoke", "--results", str(folder)]
    command += ["--device", "cpu", "--threads", "1", "--offline"]
    command += [part for change in SUITE for part in ("--set", change)]
    told = {
        "KILL_AT": kill_at,
        "KILL_WHOM": whom,
        "OMP_NUM_THREADS": "1",  # runs stand side by side
        "KILL_LOG": str(log),
        "HARNESS_CACHE": str(folder / "cache"),
        "PYTHONPATH": f"{ROOT / 'tests/support/killing'}:{ROOT}",
    }
    done = subprocess.run(
        command,
        env=os.environ | told,
        start_new_session=True,
        capture_output=True,
        text=True,
        check=False,
    )
    print(kill_at, done.returncode)
    assert done.returncode in (0, 1, -signal.SIGKILL), done.stdout + done.stderr
    return done.returncode


@dataclass(frozen=True)
class Beside:
    """Runs that take the other core meanwhile."""

    alone: "Future[Path]"
    """Of a run that nobody disturbs."""
    workers_killed: "Future[Path]"
    """Of one whose workers are killed."""


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    with ThreadPoolExecutor(1) as other:
        yield Beside(
            other.submit(run_alone, tmp_path_factory.mktemp("alone")),
            other.submit(run_with_killed_workers, tmp_path_factory.mktemp("workers")),
        )


def run_alone(folder: Path) -> Path:
    assert run(folder, "") == 0
    return folder


def run_with_killed_workers(folder: Path) -> Path:
    assert run(folder, WORKERS_DIE_AT, whom="itself") == 1
    statuses = [record.status for record in ResultsStore(folder / "smoke").read_trials()]
    assert statuses == ["crashed", "crashed"]
    assert run(folder, "") == 0
    return folder


@pytest.mark.slow
def test_a_run_that_is_killed_twenty_times_ends_as_one_that_is_left_alone(
    tmp_path: Path, beside: Beside
) -> None:
    log = tmp_path / "log.txt"
    log.touch()
    for moment in MOMENTS:  # which may come again
        log.write_text(log.read_text().replace("killed", "ended"))
        assert run(tmp_path, moment) == -signal.SIGKILL
    assert run(tmp_path, "") == 0
    lines = log.read_text().replace("ended", "killed").splitlines()
    hit = Counter(line.split()[1] for line in lines if line.startswith("killed"))
    twice, steps = steps_done_twice(lines)
    print(f"kills: {dict(hit)}; steps done twice: {twice} of {steps}")
    assert (set(hit), sum(hit.values())) == (set(PHASES), len(MOMENTS))
    alone = beside.alone.result()
    assert seconds_between_saves(alone) > 10 * CHECKPOINT_S
    assert_same(tmp_path, alone)


@pytest.mark.slow
def test_workers_that_are_killed_in_every_phase_end_no_run(beside: Beside) -> None:
    folder = beside.workers_killed.result()
    lines = (folder / "log.txt").read_text().splitlines()
    assert [line for line in lines if line.startswith("killed")] == [
        f"killed {moment.partition(':')[0]}" for moment in WORKERS_DIE_AT.split(",")
    ]
    steps_done_twice(lines)
    assert_same(folder, beside.alone.result())


def steps_done_twice(lines: list[str]) -> tuple[int, int]:
    """How many of how many; none of them was saved, and a checkpoint comes every interval."""
    steps: Counter[tuple[str, int]] = Counter()
    last: dict[str, int] = {}
    saved: dict[str, int] = {}
    since: dict[str, float] = {}
    late: Counter[str] = Counter()
    for trial, what, *when in map(str.split, lines):
        if trial == "killed":
            continue
        if what in ("begun", "saved"):
            since[trial], late[trial] = float(when[0]), 0
        if what == "saved":
            saved[trial] = last[trial]
        elif what != "begun":
            last[trial] = int(what)
            assert last[trial] > saved.get(trial, 0)
            late[trial] += float(when[0]) - since[trial] > CHECKPOINT_S
            assert late[trial] <= 1  # the step after which the next one is saved
            steps[trial, last[trial]] += 1
    return steps.total() - len(steps), len(steps)


def seconds_between_saves(folder: Path) -> float:
    """From the first checkpoint of the trial that has most of them to its last."""
    times: dict[str, list[float]] = {}
    for trial, what, *when in map(str.split, (folder / "log.txt").read_text().splitlines()):
        if what == "saved":
            times.setdefault(trial, []).append(float(when[0]))
    return max(each[-1] - each[0] for each in times.values())


def assert_same(one: Path, other: Path) -> None:
    """Metrics and predictions are the same to the last bit, and nothing else is left."""
    ours, theirs = ResultsStore(one / "smoke"), ResultsStore(other / "smoke")
    for mine, yours in zip(ours.read_trials(), theirs.read_trials(), strict=True):
        assert (mine.trial_id, mine.metrics) == (yours.trial_id, yours.metrics)
        frames = (ours.read_predictions(mine), theirs.read_predictions(yours))
        pd.testing.assert_frame_equal(*frames, check_exact=True)
    assert not list(ours.trials.glob(f"*/{CHECKPOINTS}"))
    assert names(ours.folder) == names(theirs.folder)


def names(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}
