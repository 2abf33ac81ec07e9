"""The card of a user's own network, from the config that lies beside its weights. No torch here."""

from __future__ import annotations

import re
from pathlib import Path

from backbones.cards import BackboneCard, BackboneError
from backbones.families import FAMILIES
from backbones.hub.config_files import read_config
from backbones.hub.hub_download import fetch_config
from backbones.hub.local_files import is_folder

WIDEST, DEEPEST = 16_384, 1_000
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def card_from_config(
    name: str, kind: str, source: str | Path, revision: str | None = None
) -> BackboneCard:
    """The card of a network that its config describes.

    Args:
        name: what it is to be called.
        kind: the family that loads it, e.g. "hubert".
        source: a folder, or a repository of the Hugging Face hub, "org/name".
        revision: a branch or commit of that repository.

    Raises:
        BackboneError: no such kind, or the source has no config of one.
    """
    kinds = [family for family in FAMILIES if FAMILIES[family].shape]
    family = FAMILIES.get(kind)
    if family is None or family.shape is None:
        raise BackboneError(
            f"no kind of backbone is called {kind!r}. There are: {', '.join(kinds)}"
        )
    source = str(source)
    path = _config_path(name, family.config_file, source, revision)
    try:
        config = read_config(path)
        architecture = dict(config[family.settings_key] if family.settings_key else config)
        hidden_size, depth = family.shape(architecture)
        _check_size(hidden_size, depth)
    except (BackboneError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise BackboneError(f"{name}: {path} does not describe a {kind}: {error!r}") from error
    folder = source if is_folder(source) else None
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


def _check_size(hidden_size: int, depth: int) -> None:
    """Before anything of that size is built."""
    if not (1 <= hidden_size <= WIDEST and 1 <= depth <= DEEPEST):
        raise ValueError(
            f"{hidden_size} dims and {depth} layers, possible are 1 to {WIDEST} and 1 to {DEEPEST}"
        )


def _config_path(name: str, file: str, source: str, revision: str | None) -> Path:
    if is_folder(source):
        return Path(source).expanduser() / file
    if not REPOSITORY.fullmatch(source):
        raise BackboneError(
            f"{name}: the source {source} is neither a folder nor a repository, org/name"
        )
    return fetch_config(source, file, revision)
