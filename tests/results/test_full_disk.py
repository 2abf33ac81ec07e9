"""A disk of results that is full, or can no longer be written, is told, and nothing is lost."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from quiet import Quiet

import harness
from harness.errors import ResultsError
from harness.results.store import ResultsStore
from harness.runs.run_summary import RunSummary
from harness.runs.runtime_options import RuntimeOptions
from harness.training.fit_checkpoints import Checkpoints

SMALL = ("cost=null", "backbones=[tiny-wavlm]", "matrix.finetune_layers=[0]", "training.epochs=1")


def mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)):
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def run(disk: Path) -> RunSummary:
    options = RuntimeOptions("cpu", offline=True, engine="inline")
    changes = [*SMALL, "matrix.seed=[1, 2]", "must_beat_majority=false"]
    return harness.run(
        "smoke", changes=changes, results=disk, options=options, reporter=Quiet()
    ).summary


def test_a_run_whose_results_fill_the_disk_goes_on_when_there_is_room(disk: Path) -> None:
    with pytest.raises(ResultsError, match=r"cannot write results to .*No space left on device"):
        run(disk)
    assert mount("-o", "remount,size=8m", str(disk))
    assert [record.status for record in run(disk).records] == ["ok", "ok"]


def test_a_disk_that_may_only_be_read_is_told_and_what_lies_there_counts_later(disk: Path) -> None:
    assert mount("-o", "remount,size=8m", str(disk))
    run(disk)
    assert mount("-o", "remount,ro", str(disk))
    with pytest.raises(ResultsError, match=r"Read-only file system. Choose another folder with"):
        run(disk)
    assert harness.report(disk / "smoke").rows
    store = ResultsStore(disk / "smoke")
    with pytest.raises(ResultsError, match="make room, or choose another"), store.writing():
        store.write_estimate("{}")
    assert mount("-o", "remount,rw", str(disk))
    assert run(disk).reused == 2


def test_a_fit_goes_on_whose_checkpoint_finds_no_room(disk: Path) -> None:
    checkpoints = Checkpoints(disk / "checkpoints")
    with pytest.warns(UserWarning, match="cannot be written, is the disk full"):
        checkpoints.after_step(0, lambda: {"weights": torch.zeros(50_000)})
    assert list((disk / "checkpoints").iterdir()) == []
    checkpoints.after_step(0, lambda: {"weights": torch.zeros(50)})
    assert checkpoints.load(0)
