from __future__ import annotations

from pathlib import Path

import pytest

import backbones
from harness.data.prefetch.requirements import prefetch_backbone
from harness.errors import UserError
from harness.specs import BackboneSpec

WHISPER = BackboneSpec(name="whisper-base")


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of models, and no other place to look at."""
    for variable in ("HARNESS_MODELS", "HF_HUB_CACHE", "MODELSCOPE_CACHE"):
        monkeypatch.setenv(variable, str(tmp_path))
    return tmp_path


def test_what_lies_on_this_machine_is_found(models: Path) -> None:
    folder = models / "whisper-base"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).touch()
    found = prefetch_backbone(WHISPER, offline=True)
    assert (found.path, found.was_there) == (folder, True)


def test_what_does_not_is_fetched(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fetch(card: backbones.BackboneCard, **where: str | None) -> backbones.Location:
        asked.append(card.name)
        return backbones.Location(models / "fetched", "its hub")

    monkeypatch.setattr(backbones, "fetch", fetch)
    found = prefetch_backbone(WHISPER)
    assert (found.path, found.was_there) == (models / "fetched", False)
    assert asked == ["whisper-base"]


def test_offline_means_that_no_hub_is_asked(models: Path) -> None:
    with pytest.raises(UserError, match=r"\$HARNESS_MODELS/whisper-base"):
        prefetch_backbone(WHISPER, offline=True)


@pytest.mark.parametrize(
    "spec", [BackboneSpec(name="tiny-wavlm"), BackboneSpec(name="wavlm-base", init="random")]
)
def test_backbones_without_weights_need_no_files(models: Path, spec: BackboneSpec) -> None:
    assert prefetch_backbone(spec).line() == f"{spec.name}: needs no files"
