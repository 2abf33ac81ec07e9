"""From a name to a network that is whole: built, filled, verified, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Literal, Protocol, cast

import torch

from backbones.base import Backbone
from backbones.cards import BackboneCard, BackboneError, Weights
from backbones.hubs import fetch, missing
from backbones.places import Location, locate
from backbones.randomness import random_numbers_kept, seeded
from backbones.relatives import RELATIVES
from backbones.weights import digest, fill, read

SEED = 0  # of random weights, so that everyone's tiny-wavlm is the same network

FAMILIES = {
    **dict.fromkeys(RELATIVES, "backbones.wav2vec2_family"),
    "whisper": "backbones.whisper",
    "w2v-bert": "backbones.w2v_bert",
    "emotion2vec": "backbones.emotion2vec",
    "logmel": "backbones.logmel",
}
"""The module that knows each family; imported when one of it is loaded."""


class Family(Protocol):
    """What a family's module offers."""

    def read_settings(self, folder: Path) -> dict[str, object]:
        """The architecture that lies beside a checkpoint."""

    def build(self, card: BackboneCard, settings: Mapping[str, object]) -> Backbone:
        """A network of that architecture, its weights as its constructor leaves them."""


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
        settings = _family(card).read_settings(_found(card, source, revision, True).folder)
    return _on_meta(card, settings)


def _on_meta(card: BackboneCard, settings: Mapping[str, object]) -> Backbone:
    with random_numbers_kept(), torch.device("meta"):
        return _family(card).build(card, settings)


def _constructed(card: BackboneCard) -> tuple[Backbone, Weights]:
    with seeded(SEED):
        backbone = _family(card).build(card, card.architecture)
    if not backbone.total_parameters():
        return backbone, Weights(digest(backbone), "no weights", "none")
    return backbone, Weights(digest(backbone), f"random(seed={SEED})", "random")


def _pretrained(card: BackboneCard, location: Location) -> tuple[Backbone, Weights]:
    origin = f"{card.name} from {location.folder}"
    # no number is there before the checkpoint's
    backbone = _on_meta(card, _family(card).read_settings(location.folder))
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


def _family(card: BackboneCard) -> Family:
    module, _, attribute = FAMILIES.get(card.family, card.family).partition(":")
    try:
        found = import_module(module)
        return cast("Family", getattr(found, attribute) if attribute else found)
    except (ImportError, AttributeError) as error:
        raise BackboneError(f"{card.name}: its family {card.family} is not to be had") from error


def _check_shape(backbone: Backbone, origin: str) -> None:
    card, config = backbone.card, backbone.config
    found = (config.hidden_size, config.num_hidden_layers)
    if found != (card.hidden_size, card.depth):
        raise BackboneError(
            f"{origin}: {found[0]} dims and {found[1]} layers, "
            f"but {card.name} has {card.hidden_size} and {card.depth}: another model lies there"
        )
