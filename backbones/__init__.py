"""Pretrained speech networks behind one contract. Imports nothing from `harness`.

Importing this package imports no torch; `load` does.

>>> card("microsoft/wavlm-base-plus").depth
12
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from backbones import hubs, places
from backbones.cards import BackboneCard, BackboneError, Weights
from backbones.places import Location
from backbones.table import BACKBONES, canonical_name, card, declare, is_folder

if TYPE_CHECKING:
    from backbones.base import Backbone

__all__ = [
    "BACKBONES",
    "BackboneCard",
    "BackboneError",
    "Location",
    "Weights",
    "canonical_name",
    "card",
    "declare",
    "fetch",
    "is_folder",
    "load",
    "locate",
    "places_tried",
]


def locate(
    name: str, *, source: str | Path | None = None, revision: str | None = None
) -> Location | None:
    """Where a backbone's files lie on this machine, or None if they are nowhere.

    Looks at `source`, or else at `$HARNESS_MODELS/<name>` and the caches of Hugging Face and
    ModelScope. A folder counts only when it holds the whole of it.

    Args:
        name: any name that `canonical_name` knows, a folder included.
        source: a folder to look at instead of everywhere.
        revision: a branch or commit of the hub's repository; the card's where not given.

    Raises:
        BackboneError: the name is unknown, or `source` holds no such backbone.
    """
    return places.locate(card(name), _source(name, source), revision)


def places_tried(
    name: str, *, source: str | Path | None = None, revision: str | None = None
) -> list[str]:
    """One line for each place where `locate` looks, for messages."""
    return places.places_tried(card(name), _source(name, source), revision)


def fetch(name: str, *, source: str | Path | None = None, revision: str | None = None) -> Location:
    """`locate`, after fetching the files from the backbone's hub if they are nowhere.

    Raises:
        BackboneError: no hub gave them (each with its reason), or HF_HUB_OFFLINE is set.
    """
    return hubs.fetch(card(name), _source(name, source), revision)


def load(
    name: str,
    *,
    source: str | Path | None = None,
    revision: str | None = None,
    init: Literal["pretrained", "random"] = "pretrained",
    offline: bool = False,
) -> Backbone:
    """A backbone on the CPU in float32, wholly frozen and in eval mode.

    Args:
        name: any name that `canonical_name` knows, a folder included.
        source: a folder to load from.
        revision: a branch or commit of the hub's repository; the card's where not given.
        init: "random" gives the architecture with random weights from a fixed seed, and
            `weights.init` says so; the tiny networks have no others.
        offline: ask no hub; what is not on this machine is an error.

    Raises:
        BackboneError: the name is unknown, the weights are not to be had, or a tensor that
            the forward pass uses is not in them with the right shape.
    """
    from backbones import loading

    return loading.load(card(name), _source(name, source), revision, init, offline)


def _source(name: str, source: str | Path | None) -> str | Path | None:
    """The folder to look at; none where a declared backbone's card tells the place already."""
    if source is None:
        return name if is_folder(name) else None
    own = card(name)
    on_hub = str(source) == own.huggingface and not Path(source).is_dir()
    return None if on_hub or str(source) == own.folder else source
