"""From a name to a network that is whole: built, filled, verified, frozen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch

from backbones.base import Backbone
from backbones.cards import FOREIGN_ERRORS, BackboneCard, BackboneError, Weights
from backbones.families import family_of
from backbones.families.family import NetworkModule
from backbones.hub.checkpoints import digest, fill, read
from backbones.hub.hub_download import fetch, missing
from backbones.hub.local_files import Location, locate
from backbones.randomness import random_numbers_kept, seeded

SEED = 0  # of random weights, so that everyone's tiny-wavlm is the same network


def load(
    card: BackboneCard,
    source: str | Path | None = None,
    revision: str | None = None,
    init: Literal["pretrained", "random"] = "pretrained",
    offline: bool = False,
) -> Backbone:
    """See `backbones.load`."""
    if init == "random" or not card.downloadable:
        if source is not None:
            raise BackboneError(
                f"{card.name} gets no pretrained weights: leave out source {source}"
            )
        backbone, weights = _constructed(card)
    else:
        backbone, weights = _pretrained(card, _found(card, source, revision, offline))
    backbone.weights = weights
    return backbone.finetune(0).eval()


def outline(
    card: BackboneCard, source: str | Path | None = None, revision: str | None = None
) -> Backbone:
    """A network on the meta device: all of its shapes, and no numbers.

    It needs no files, but for a user's own network, whose settings lie beside its weights.
    """
    settings: Mapping[str, object] = card.architecture
    if card.downloadable and not settings:
        settings = _settings(card, _found(card, source, revision, True).folder)
    return _on_meta(card, settings)


def _on_meta(card: BackboneCard, settings: Mapping[str, object]) -> Backbone:
    with random_numbers_kept(), torch.device("meta"):
        return _built(card, settings)


def _built(card: BackboneCard, settings: Mapping[str, object]) -> Backbone:
    with _told(card):
        return _module(card).build(card, settings)


def _settings(card: BackboneCard, folder: Path) -> Mapping[str, object]:
    with _told(card):
        return _module(card).read_settings(folder)


@contextmanager
def _told(card: BackboneCard) -> Iterator[None]:
    """Families and their libraries fail each in its own way, or end the program."""
    try:
        yield
    except BackboneError:
        raise
    except FOREIGN_ERRORS as error:
        raise BackboneError(
            f"{card.name}: no network can be built from its settings: {error!r}"
        ) from error


def _constructed(card: BackboneCard) -> tuple[Backbone, Weights]:
    with seeded(SEED):
        backbone = _built(card, card.architecture)
    if not backbone.total_parameters():
        return backbone, Weights(digest(backbone), "no weights", "none")
    return backbone, Weights(digest(backbone), f"random(seed={SEED})", "random")


def _pretrained(card: BackboneCard, location: Location) -> tuple[Backbone, Weights]:
    origin = f"{card.name} from {location.folder}"
    # no number is there before the checkpoint's
    backbone = _on_meta(card, _settings(card, location.folder))
    _check_shape(backbone, origin)
    fill(backbone, read(location.folder, backbone.own_name), origin)
    source = str(location.folder)
    return backbone, Weights(digest(backbone), source, "pretrained", location.revision)


def _found(
    card: BackboneCard, source: str | Path | None, revision: str | None, offline: bool
) -> Location:
    if not offline:
        return fetch(card, source, revision)
    if found := locate(card, source, revision):
        return found
    raise missing(card, source, revision)


def _module(card: BackboneCard) -> NetworkModule:
    return family_of(card).network_module()


def _check_shape(backbone: Backbone, origin: str) -> None:
    card, config = backbone.card, backbone.config
    found = (config.hidden_size, config.num_hidden_layers)
    if found != (card.hidden_size, card.depth):
        raise BackboneError(
            f"{origin}: {found[0]} dims and {found[1]} layers, "
            f"but {card.name} has {card.hidden_size} and {card.depth}: another model lies there"
        )
