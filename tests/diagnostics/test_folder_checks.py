"""What a user is told of the folders that a run uses."""

from pathlib import Path
from typing import Any

import pytest

from harness.diagnostics import Check
from harness.diagnostics.folder_checks import examine_folders

VARIABLES = ("HARNESS_CACHE", "HARNESS_CORPORA", "HARNESS_MODELS", "HF_HOME", "MODELSCOPE_CACHE")


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every variable names a folder of its own that is not there yet."""
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    for variable in VARIABLES:
        monkeypatch.setenv(variable, str(tmp_path / variable))
    return tmp_path


def snapshot(folder: Path) -> dict[str, Check]:
    return {check.name: check for check in examine_folders(folder / "results")}


def test_folders_that_can_be_made_will_serve(folders: Path) -> None:
    checks = snapshot(folders)
    assert {name for name, check in checks.items() if check.ok is False} == {"corpora", "models"}
    assert "GB free" in checks["results"].detail
    assert "GB free" in checks["cache"].detail
    assert not (folders / "results").exists()


def test_the_folders_that_are_read_must_be_there(folders: Path) -> None:
    (folders / "HARNESS_CORPORA" / "ravdess").mkdir(parents=True)
    (folders / "HARNESS_MODELS").mkdir()
    checks = snapshot(folders)
    assert checks["corpora"].ok is True
    assert checks["corpora"].detail.endswith("1 folders")
    assert checks["models"].ok is None  # an empty mount


def test_corpora_and_models_need_no_folder(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARNESS_CORPORA")
    check = snapshot(folders)["corpora"]
    assert check.ok is True
    assert "not set" in check.detail


@pytest.mark.parametrize(
    ("name", "place", "ok"),
    [
        ("results", "results", False),
        ("cache", "HARNESS_CACHE", False),
        ("Hugging Face cache", "HF_HOME", None),
        ("ModelScope cache", "MODELSCOPE_CACHE", None),
    ],
)
def test_a_folder_that_cannot_be_written_is_told(
    name: str, place: str, ok: bool | None, folders: Path
) -> None:
    """A file in its place, which not even root can write in."""
    (folders / place).write_text("")
    check = snapshot(folders)[name]
    assert check.ok is ok
    assert str(folders / place) in check.detail
    assert "cannot be written" in check.detail


@pytest.mark.usefixtures("small_products")
def test_the_doctor_looks_at_the_results_folder_that_is_named(cli: Any, folders: Path) -> None:
    (folders / "HARNESS_CORPORA").mkdir()
    (folders / "HARNESS_MODELS").mkdir()
    (folders / "blocked").write_text("")
    answer = cli("doctor", "--results", folders / "blocked" / "results")
    assert answer.code == 1
    assert "machine: results: FAILED" in answer.out
