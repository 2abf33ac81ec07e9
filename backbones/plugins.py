"""Backbones that this package does not know: installed ones, and ones a suite describes.

No torch here.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Container, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import yaml

from backbones import hubs, places
from backbones.cards import BackboneCard, BackboneError
from backbones.relatives import RELATIVES

GROUP = "ser_harness.backbones"
"""The group of entry points in which a Python package offers a BackboneCard."""

KINDS = (*RELATIVES, "whisper", "w2v-bert", "emotion2vec")
"""Families whose networks can be described by the config beside their weights."""

REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def installed_cards(taken: Container[str]) -> Iterator[BackboneCard]:
    """Cards that installed packages offer; one that cannot be used is left out with a warning.

    Args:
        taken: names that are no longer free.
    """
    for point in entry_points(group=GROUP):
        try:
            card = point.load()
        except Exception as error:  # whatever a stranger's module raises
            warnings.warn(f"backbone {point.name} ({point.value}): {error!r}", stacklevel=2)
            continue
        if not isinstance(card, BackboneCard) or card.name in taken:
            reason = "is no BackboneCard, or its name is taken"
            warnings.warn(f"backbone {point.name} ({point.value}) {reason}", stacklevel=2)
            continue
        yield card


def card_from_config(
    name: str, kind: str, source: str, revision: str | None = None
) -> BackboneCard:
    """The card of a network that its config describes.

    Raises:
        BackboneError: no such kind, or the source has no config of one.
    """
    if kind not in KINDS:
        raise BackboneError(
            f"no kind of backbone is called {kind!r}. There are: {', '.join(KINDS)}"
        )
    path = _config_path(name, kind, source, revision)
    try:
        architecture = _architecture(kind, path)
        hidden_size, depth = _shape(kind, architecture)
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise BackboneError(f"{name}: {path} does not describe a {kind}: {error!r}") from error
    folder = source if _is_folder(source) else None
    return BackboneCard(
        name,
        kind,
        hidden_size,
        depth,
        folder=folder,
        huggingface=None if folder else source,
        revision=revision,
        architecture=architecture,
    )


def _config_path(name: str, kind: str, source: str, revision: str | None) -> Path:
    file = places.CONFIG_FILES[kind]
    if _is_folder(source):
        return Path(source).expanduser() / file
    if not REPOSITORY.fullmatch(source):
        raise BackboneError(
            f"{name}: the source {source} is neither a folder nor a repository, org/name"
        )
    return hubs.fetch_config(source, file, revision)


def _is_folder(source: str) -> bool:
    return Path(source).expanduser().is_dir()


def _architecture(kind: str, path: Path) -> dict[str, Any]:
    text = path.read_text("utf-8")
    if kind == "emotion2vec":
        return dict(yaml.safe_load(text)["model_conf"])
    return dict(json.loads(text))


def _shape(kind: str, architecture: dict[str, Any]) -> tuple[int, int]:
    """Hidden size, and how many transformer layers an utterance crosses."""
    if kind == "emotion2vec":
        prenet = architecture["modalities"]["audio"]["prenet_depth"]
        return int(architecture["embed_dim"]), int(architecture["depth"]) + int(prenet)
    keys = (
        ("d_model", "encoder_layers") if kind == "whisper" else ("hidden_size", "num_hidden_layers")
    )
    return int(architecture[keys[0]]), int(architecture[keys[1]])
