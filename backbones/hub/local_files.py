"""Where a backbone's files can lie on this machine. Looks at folders only; no torch here."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backbones.cards import BackboneCard, BackboneError
from backbones.families import config_file

WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "model.pt",
    "emotion2vec_base.pt",
)
"""Names of a checkpoint, or of the index of one in parts; the first that is there is used."""


@dataclass(frozen=True)
class Location:
    """A folder with everything a backbone is loaded from."""

    folder: Path
    found_in: str
    """The place's name, e.g. "$HARNESS_MODELS" or "the Hugging Face cache"."""
    revision: str | None = None
    """Where the folder's name tells it."""


def locate(
    card: BackboneCard, source: str | Path | None = None, revision: str | None = None
) -> Location | None:
    """The first place that holds the whole of a backbone's files, or None.

    Raises:
        BackboneError: `source` is given and is not such a folder.
    """
    if not card.downloadable:
        return None
    found = next((place for place in _places(card, source, revision) if _whole(card, place)), None)
    if found is None and source is not None:
        raise BackboneError(
            f"{card.name}: the source {Path(source)} is not a folder with "
            f"{config_file(card)} and one of {', '.join(WEIGHT_FILES)}"
        )
    return found


def places_tried(
    card: BackboneCard, source: str | Path | None = None, revision: str | None = None
) -> list[str]:
    """One line for each place `locate` looks at, for messages."""
    tried = [f"{place.found_in}: {place.folder}" for place in _places(card, source, revision)]
    if source is None and not os.environ.get("HARNESS_MODELS"):
        tried.insert(0, "$HARNESS_MODELS: not set")
    return tried


def is_folder(written: str | Path) -> bool:
    """Whether what a user wrote is the path of a folder of this machine; ~ is their home."""
    return Path(written).expanduser().is_dir()


def checkpoint_files(folder: Path) -> list[Path]:
    """The files of a folder's checkpoint; empty if there is none or a part is missing."""
    for name in WEIGHT_FILES:
        path = folder / name
        if path.is_file():
            files = _parts(path) if name.endswith(".index.json") else [path]
            return files if all(file.is_file() for file in files) else []
    return []


def hugging_face_cache() -> Path:
    """The folder that huggingface_hub keeps repositories in, by its documented variables."""
    if stated := os.environ.get("HF_HUB_CACHE"):
        return Path(stated).expanduser()
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or f"{caches}/huggingface"
    return Path(home).expanduser() / "hub"


def modelscope_cache() -> Path:
    """The folder that modelscope keeps repositories in."""
    return Path(os.environ.get("MODELSCOPE_CACHE") or "~/.cache/modelscope").expanduser()


def _whole(card: BackboneCard, place: Location) -> bool:
    config = place.folder / config_file(card)
    return config.is_file() and bool(checkpoint_files(place.folder))


def _places(
    card: BackboneCard, source: str | Path | None, revision: str | None
) -> Iterator[Location]:
    if source is not None:
        yield Location(Path(source).expanduser(), "source", revision)
        return
    if card.folder is not None:
        yield Location(Path(card.folder).expanduser(), "its folder", revision)
        return
    if models := os.environ.get("HARNESS_MODELS"):
        yield Location(Path(models).expanduser() / (card.stored_as or card.name), "$HARNESS_MODELS")
    if card.huggingface is not None:
        pinned = card.revision if card.modelscope is None else None
        yield in_hugging_face_cache(card.huggingface, revision or pinned or "main")
        if pinned and not revision:  # a later commit that is here beats one that is not
            yield in_hugging_face_cache(card.huggingface, "main")
    if card.modelscope is not None:
        yield from _in_modelscope_cache(card.modelscope, revision or card.revision)


def in_hugging_face_cache(repository: str, revision: str) -> Location:
    """`models--org--name/snapshots/<commit>`, where `refs/<branch>` names a commit."""
    root = hugging_face_cache() / f"models--{repository.replace('/', '--')}"
    reference = root / "refs" / revision
    commit = reference.read_text("utf-8").strip() if reference.is_file() else revision
    return Location(root / "snapshots" / commit, "the Hugging Face cache", commit)


def _in_modelscope_cache(repository: str, revision: str | None) -> Iterator[Location]:
    """The layout of today's modelscope, then those of its predecessors."""
    cache, name = modelscope_cache(), "the ModelScope cache"
    today = cache / "models" / repository.replace("/", "--") / "snapshots"
    yield Location(today / (revision or "master"), name, revision)
    for parent in (cache / "models", cache / "hub" / "models", cache / "hub", cache):
        yield Location(parent / repository, name)


def _parts(index: Path) -> list[Path]:
    try:
        names = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
        return [index.parent / Path(name).name for name in sorted(names)]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise BackboneError(f"{index} does not list the parts of a checkpoint: {error}") from error
