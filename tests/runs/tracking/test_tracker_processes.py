"""Trackers that fail, hang or die hold up no trial."""

import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import Pipe, Process
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import pytest
from made_up import MadeUpRun, make_trial

from harness.config.suite_loading import load_suite
from harness.errors import UserError
from harness.runs.tracking import tracker_processes
from harness.runs.tracking.publishing import TrackerTarget, TrialRecorded
from harness.runs.tracking.run_content import run_name
from harness.runs.tracking.tracker_processes import FOLDER, TrackerProcess, tracking
from harness.specs import Suite
from harness.worker_processes import Worker

Notes = list[str]


def suite(*trackers: str) -> Suite:
    return load_suite("smoke", [f"tracking=[{','.join(trackers)}]"])


def messages(count: int) -> list[TrialRecorded]:
    run = MadeUpRun()
    for seed in range(1, count + 1):
        run.add(make_trial(seed=seed))
    return [TrialRecorded(record) for record in run.records]


KILLED = "tracking: tensorboard is left out from here on: its process was ended by SIGKILL"


def message() -> TrialRecorded:
    (only,) = messages(1)
    return only


@pytest.fixture
def silent_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://me:hunter22@127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        yield address


def test_a_suite_without_trackers_starts_no_process_and_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    notes: Notes = []
    before = set(multiprocessing.active_children())
    with tracking(suite(), tmp_path, notes.append, offline=True) as trackers:
        trackers.tell(message())
        trackers.settle()
        assert list(trackers.processes) == []
        assert set(multiprocessing.active_children()) == before
    assert notes == []
    assert list(tmp_path.iterdir()) == []


def test_a_tracker_that_hangs_is_waited_for_only_at_the_end_and_not_for_long(
    silent_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker_processes, "PATIENCE_S", 3.0)
    notes: Notes = []
    ended = message()
    with tracking(suite("mlflow"), tmp_path, notes.append, offline=True) as trackers:
        started = time.monotonic()
        for _ in range(500):  # more than a pipe holds
            trackers.tell(ended)
        told_s = time.monotonic() - started
        (process_of_tracker,) = trackers.processes
        started = time.monotonic()
    assert told_s < 1
    assert time.monotonic() - started < 10
    assert notes == ["tracking: mlflow is left out from here on: it did not answer for 3 s"]
    process_of_tracker.worker.process.join(10)
    assert not process_of_tracker.worker.process.is_alive()


def test_a_tracker_that_fails_is_told_of_once_without_secrets_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "5ec4e7c0ffee"
    results.mkdir()
    monkeypatch.setenv("WANDB_API_KEY", results.name)  # which what goes wrong names
    (results / FOLDER).write_text("a file where its folder should be")
    notes: Notes = []
    with tracking(suite("tensorboard"), results, notes.append, offline=True) as trackers:
        trackers.tell(message())
        trackers.settle()
        trackers.tell(message())
    (note,) = notes
    assert note.startswith("tracking: tensorboard is left out from here on: NotADirectoryError")
    assert "***" in note
    assert results.name not in note


def test_a_failure_is_told_of_while_the_run_goes_on_and_when_it_is_interrupted(
    tmp_path: Path,
) -> None:
    for interrupt in (False, True):
        notes: Notes = []
        with (
            suppress(KeyboardInterrupt),
            tracking(suite("tensorboard"), tmp_path, notes.append, offline=True) as trackers,
        ):
            (process_of_tracker,) = trackers.processes
            assert process_of_tracker.worker.process.pid
            os.kill(process_of_tracker.worker.process.pid, signal.SIGKILL)
            process_of_tracker.worker.process.join()
            trackers.tell(message())
            if interrupt:
                raise KeyboardInterrupt
            trackers.tell(message())
            assert notes
        assert notes == [
            "tracking: tensorboard is left out from here on: its process was ended by SIGKILL"
        ]


def test_trackers_that_have_started_end_if_another_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[TrackerProcess] = []

    def start(place: TrackerTarget) -> TrackerProcess:
        if started:
            raise BlockingIOError("no more processes")
        started.append(really_start(place))
        return started[0]

    really_start = tracker_processes._started
    monkeypatch.setattr(tracker_processes, "_started", start)
    with (
        pytest.raises(BlockingIOError),
        tracking(suite("tensorboard", "mlflow"), tmp_path, pytest.fail, offline=True),
    ):
        pass
    started[0].worker.process.join(10)
    assert not started[0].worker.process.is_alive()


def test_a_folder_named_like_a_tracker_is_no_tracker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "no_such_tracker").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert not tracker_processes._is_installed("no_such_tracker")
    assert tracker_processes._is_installed("tensorboard")


def test_a_tracker_that_is_killed_is_told_of(tmp_path: Path) -> None:
    notes: Notes = []
    with tracking(suite("tensorboard"), tmp_path, notes.append, offline=True) as trackers:
        (process_of_tracker,) = trackers.processes
        assert process_of_tracker.worker.process.pid
        os.kill(process_of_tracker.worker.process.pid, signal.SIGKILL)
        trackers.tell(message())
    assert notes == [
        "tracking: tensorboard is left out from here on: its process was ended by SIGKILL"
    ]


def interrupted(tracker: str, results: Path) -> None:
    """A run that is interrupted right after a trial."""
    with tracking(suite(tracker), results, pytest.fail, offline=True) as trackers:
        trackers.tell(message())
        raise KeyboardInterrupt


def test_an_interrupted_run_has_its_last_trial_in_the_trackers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker_processes, "GRACE_S", 60.0)
    with pytest.raises(KeyboardInterrupt):
        interrupted("tensorboard", tmp_path)
    assert list((tmp_path / FOLDER / "tensorboard").rglob("events.out.tfevents.*"))


def test_an_interrupted_run_does_not_wait_for_a_tracker_that_hangs(
    silent_server: str, tmp_path: Path
) -> None:
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interrupted("mlflow", tmp_path)
    assert time.monotonic() - started < tracker_processes.GRACE_S + 10


def test_a_backlog_is_no_hang_while_answers_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker_processes, "PATIENCE_S", 2.0)
    answers, theirs = Pipe(duplex=False)

    def answer_slowly() -> None:
        for _ in range(8):
            time.sleep(0.4)
            theirs.send(None)

    place = TrackerTarget("tensorboard", "smoke", tmp_path, offline=True)
    worker = Worker(Process(), answers, Pipe(duplex=False)[0])
    process_of_tracker = TrackerProcess(place, worker, SimpleQueue(), told=8)
    Thread(target=answer_slowly).start()
    process_of_tracker.settle()
    assert (process_of_tracker.answered, process_of_tracker.complaint) == (8, None)


def test_a_tracker_that_is_left_out_does_nothing_more(
    silent_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker_processes, "PATIENCE_S", 1.0)
    notes: Notes = []
    with tracking(suite("mlflow"), tmp_path, notes.append, offline=True) as trackers:
        (process_of_tracker,) = trackers.processes
        trackers.tell(message())
        trackers.settle()
        process_of_tracker.worker.process.join(10)
        assert not process_of_tracker.worker.process.is_alive()
    assert len(notes) == 1


def test_what_a_tracker_missed_it_is_told_by_the_next_run_and_nothing_twice(tmp_path: Path) -> None:
    (first, second) = messages(2)
    for told in ([first], [first, second], [first, second]):
        with tracking(suite("tensorboard"), tmp_path, pytest.fail, offline=True) as trackers:
            for each in told:
                trackers.tell(each)
    folders = sorted(path.name for path in (tmp_path / FOLDER / "tensorboard").iterdir())
    assert folders == sorted(run_name(each.record) for each in (first, second))
    for folder in folders:
        files = (tmp_path / FOLDER / "tensorboard" / folder).glob("events.out.tfevents.*")
        assert len(list(files)) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_run_is_not_for_its_trackers(number: int, tmp_path: Path) -> None:
    """Ctrl-C reaches every process of a terminal; what was told before is still to be written."""
    with tracking(suite("tensorboard"), tmp_path, pytest.fail, offline=True) as trackers:
        (process_of_tracker,) = trackers.processes
        trackers.tell(message())
        trackers.settle()
        assert process_of_tracker.worker.process.pid
        os.kill(process_of_tracker.worker.process.pid, number)
        trackers.tell(message())


def test_the_others_go_on_where_one_fails(
    silent_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker_processes, "PATIENCE_S", 30.0)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nonsense://nowhere")
    notes: Notes = []
    with tracking(suite("mlflow", "tensorboard"), tmp_path, notes.append, offline=True) as trackers:
        trackers.tell(message())
    assert len(notes) == 1
    assert "mlflow" in notes[0]
    assert list((tmp_path / FOLDER / "tensorboard").rglob("events.out.tfevents.*"))


def test_a_tracker_that_is_not_installed_stops_the_run_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker_processes.importlib.util, "find_spec", lambda name: None)
    with (
        pytest.raises(UserError, match=r"wandb is not installed: pip install .*\[wandb\]"),
        tracking(suite("wandb"), tmp_path, pytest.fail, offline=True),
    ):
        pass
