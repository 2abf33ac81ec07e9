"""Pretrained speech networks behind one contract. Imports nothing from `harness`.

Importing this package imports no torch; `load` does.

>>> BACKBONES.card("microsoft/wavlm-base-plus").depth
12
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from backbones.cards import BackboneCard, BackboneError, Weights
from backbones.catalogue import BACKBONES, Catalogue
from backbones.hub import hub_download, local_files
from backbones.hub.local_files import Location
from backbones.hub.own_network import card_from_config

if TYPE_CHECKING:
    from backbones.base import Backbone

__all__ = [
    "BACKBONES",
    "BackboneCard",
    "BackboneError",
    "Catalogue",
    "Location",
    "Weights",
    "card_from_config",
    "fetch",
    "load",
    "locate",
    "places_tried",
]


def locate(
    backbone: str | BackboneCard,
    *,
    source: str | Path | None = None,
    revision: str | None = None,
) -> Location | None:
    """Where a backbone's files lie on this machine, or None if they are nowhere.

    Looks at `source`, or else at `$HARNESS_MODELS/<name>` and the caches of Hugging Face and
    ModelScope. A folder counts only when it holds the whole of it.

    Args:
        backbone: a card, or any name that `BACKBONES.card` knows, a folder included.
        source: a folder to look at instead of everywhere.
        revision: a branch or commit of the hub's repository; the card's where not given.

    Raises:
        BackboneError: the name is unknown, or `source` holds no such backbone.
    """
    return local_files.locate(_card(backbone), source, revision)


def places_tried(
    backbone: str | BackboneCard,
    *,
    source: str | Path | None = None,
    revision: str | None = None,
) -> list[str]:
    """One line for each place where `locate` looks, for messages."""
    return local_files.places_tried(_card(backbone), source, revision)


def fetch(
    backbone: str | BackboneCard,
    *,
    source: str | Path | None = None,
    revision: str | None = None,
) -> Location:
    """`locate`, after fetching the files from the backbone's hub if they are nowhere.

    Raises:
        BackboneError: no hub gave them (each with its reason), or HF_HUB_OFFLINE is set.
    """
    return hub_download.fetch(_card(backbone), source, revision)


def load(
    backbone: str | BackboneCard,
    *,
    source: str | Path | None = None,
    revision: str | None = None,
    init: Literal["pretrained", "random"] = "pretrained",
    offline: bool = False,
) -> Backbone:
    """A backbone on the CPU in float32, wholly frozen and in eval mode.

    Args:
        backbone: a card, or any name that `BACKBONES.card` knows, a folder included.
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

    return loading.load(_card(backbone), source, revision, init, offline)


def _card(backbone: str | BackboneCard) -> BackboneCard:
    return BACKBONES.card(backbone) if isinstance(backbone, str) else backbone
