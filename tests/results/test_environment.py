"""What a record says of the program and packages it was made with."""

import shutil
import subprocess
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


def test_the_digest_of_the_sources_follows_every_byte_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in (environment.backbones, environment.harness):
        copied = shutil.copytree(package.__path__[0], tmp_path / package.__name__)
        monkeypatch.setattr(package, "__path__", [str(copied)])
    digest = environment.source_digest.__wrapped__
    before = digest()
    assert before == environment.source_digest()
    deepest = tmp_path / "backbones" / "families" / "whisper" / "windows.py"
    deepest.write_text(deepest.read_text() + "# a comment\n")
    changed = digest()
    (tmp_path / "harness" / "new.py").write_text("")
    assert len({before, changed, digest()}) == 3
    assert environment.environment()["source"] == before
