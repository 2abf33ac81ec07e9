"""What a record says of the program and packages it was made with."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.results import environment

ROOT = Path(__file__).parents[2]


def revision_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str | None:
    monkeypatch.setattr(environment, "__file__", str(folder / "harness/records/environment.py"))
    return environment.revision.__wrapped__()


def test_outside_a_checkout_the_revision_is_what_the_image_was_built_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_REVISION", "0123abc")
    assert revision_of(tmp_path, monkeypatch) == "0123abc"
    monkeypatch.setenv("HARNESS_REVISION", "")
    assert revision_of(tmp_path, monkeypatch) is None


def test_in_a_checkout_the_revision_is_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_REVISION", "0123abc")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    assert revision_of(tmp_path, monkeypatch) == head.stdout.strip()
    (tmp_path / "new").write_text("")
    assert revision_of(tmp_path, monkeypatch) == f"{head.stdout.strip()}+changes"


def test_a_change_of_how_costs_are_measured_sets_no_trial_aside() -> None:
    measuring = set(environment.OF_COSTS[environment.harness])
    assert measuring - set(environment.DECISIVE[environment.harness]) == {"profiling/*.py"}
    assert environment.costs_digest() != environment.code_digest()


@pytest.mark.parametrize("digest", ["frames_digest", "costs_digest"])
def test_frames_and_costs_rest_on_the_versions_of_packages_too(digest: str) -> None:
    code = (
        "from harness.results import environment\n"
        f"before = environment.{digest}()\n"
        f"environment.{digest}.cache_clear()\n"
        "environment._version = lambda package: package + ' of tomorrow'\n"
        f"assert before != environment.{digest}()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
