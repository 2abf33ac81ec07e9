import json
from pathlib import Path

import pytest

from backbones import BackboneError, locate, places_tried

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def whole(folder: Path, config: str = "config.json", weights: str = "model.safetensors") -> Path:
    """A folder that looks like a checkpoint; nobody reads it here."""
    folder.mkdir(parents=True)
    (folder / config).write_text("{}")
    (folder / weights).write_bytes(b"")
    return folder


def emotion2vec(folder: Path) -> Path:
    return whole(folder, "config.yaml", "model.pt")


def test_nothing_is_found_on_an_empty_machine(nowhere: Path) -> None:
    assert locate("wavlm-base") is None


@pytest.mark.parametrize("name", ["logmel", "tiny-wavlm"])
def test_what_has_no_weights_lies_nowhere(
    name: str, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_MODELS", str(nowhere))
    assert locate(name) is None


def test_the_source_is_looked_at_alone(nowhere: Path) -> None:
    folder = whole(nowhere / "mine")
    found = locate("wavlm-base", source=folder)
    assert found is not None
    assert (found.folder, found.found_in) == (folder, "source")


def test_a_source_that_holds_nothing_is_an_error(nowhere: Path) -> None:
    with pytest.raises(BackboneError, match=r"source .*typo.* is not a folder with config\.json"):
        locate("wavlm-base", source=nowhere / "typo")


def test_harness_models_comes_first(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_MODELS", str(nowhere / "models"))
    folder = emotion2vec(nowhere / "models" / "emotion2vec_plus_base")
    emotion2vec(nowhere / "modelscope" / "models" / "iic" / "emotion2vec_plus_base")
    found = locate("iic/emotion2vec_plus_base")
    assert found is not None
    assert (found.folder, found.found_in) == (folder, "$HARNESS_MODELS")


def test_a_backbone_that_hears_in_another_way_is_read_from_the_same_folder(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_MODELS", str(nowhere / "models"))
    folder = whole(nowhere / "models" / "whisper-base")
    found = locate("whisper-base-30s")
    assert found == locate("whisper-base")
    assert found is not None
    assert found.folder == folder


def test_the_hugging_face_cache_is_read_by_its_references(nowhere: Path) -> None:
    root = nowhere / "huggingface" / "models--openai--whisper-base"
    folder = whole(root / "snapshots" / COMMIT)
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text(COMMIT)
    for revision in (None, "main", COMMIT):
        found = locate("whisper-base", revision=revision)
        assert found is not None
        assert (found.folder, found.revision) == (folder, COMMIT)
        assert found.found_in == "the Hugging Face cache"
    assert locate("whisper-base", revision="other") is None


def test_a_pinned_commit_is_preferred_and_the_newest_one_taken_without_it(nowhere: Path) -> None:
    root = nowhere / "huggingface" / "models--microsoft--wavlm-base-plus"
    newest = whole(root / "snapshots" / COMMIT)
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text(COMMIT)
    found = locate("wavlm-base-plus")
    assert found is not None
    assert found.folder == newest
    pinned = whole(root / "snapshots" / "4c66d4806a428f2e922ccfa1a962776e232d487b")
    found = locate("wavlm-base-plus")
    assert found is not None
    assert found.folder == pinned


@pytest.mark.parametrize(
    "layout",
    [
        "models/iic--emotion2vec_base/snapshots/master",
        "models/iic/emotion2vec_base",
        "hub/models/iic/emotion2vec_base",
        "hub/iic/emotion2vec_base",
        "iic/emotion2vec_base",
    ],
)
def test_every_layout_of_the_modelscope_cache_is_known(nowhere: Path, layout: str) -> None:
    folder = emotion2vec(nowhere / "modelscope" / layout)
    found = locate("emotion2vec_base")
    assert found is not None
    assert (found.folder, found.found_in) == (folder, "the ModelScope cache")


def test_half_a_download_is_not_taken_for_a_whole_one(nowhere: Path) -> None:
    folder = whole(nowhere / "mine")
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model-1.safetensors").write_bytes(b"")
    with pytest.raises(BackboneError, match="is not a folder with"):
        locate("wavlm-base", source=folder)


def test_the_places_tried_are_named(nowhere: Path) -> None:
    places = "\n".join(places_tried("emotion2vec_base"))
    for place in ("$HARNESS_MODELS: not set", "the Hugging Face cache", "the ModelScope cache"):
        assert place in places
