"""From what a suite says of a backbone to its card, in any process and without global state."""

from __future__ import annotations

from backbones import BACKBONES, BackboneCard, BackboneError, Catalogue, card_from_config
from harness.specs import BackboneSpec


def card_of(spec: BackboneSpec, catalogue: Catalogue = BACKBONES) -> BackboneCard:
    """The card of a backbone as a suite lists it, one of the user's own included.

    Raises:
        BackboneError: there is none of that name; or one of the user's own has no source, a name
            that is taken, or no config of its kind at its source.
    """
    if not spec.kind:
        return catalogue.card(spec.name)
    if spec.source is None:
        raise BackboneError(
            f"backbone {spec.name!r} has a kind: it needs a source, a folder or org/name"
        )
    catalogue.check_free(spec.name)
    return card_from_config(spec.name, spec.kind, spec.source, spec.revision)
