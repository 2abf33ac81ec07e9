"""The table of families. No torch here: a family's network is imported when it is loaded."""

from __future__ import annotations

from dataclasses import replace

from backbones.cards import BackboneCard
from backbones.families import emotion2vec, logmel, w2v_bert, wav2vec2, whisper
from backbones.families.family import Family

TABLE = (
    wav2vec2.FAMILY,
    whisper.FAMILY,
    w2v_bert.FAMILY,
    emotion2vec.FAMILY,
    logmel.FAMILY,
)
"""Every family, in the order in which tables show their cards."""

FAMILIES = {name: family for family in TABLE for name in family.names}
"""The family behind each name that a card may give."""


def family_of(card: BackboneCard) -> Family:
    """The family of a card.

    A plug-in's is the object that its card names, "module" or "module:attribute", which may state
    a `version` (1 if it does not) and the `packages` that decide its numbers.

    Raises:
        BackboneError: the plug-in's object cannot be imported.
    """
    if card.family in FAMILIES:
        return FAMILIES[card.family]
    family = Family((card.family,), card.family)
    stated = family.network_module()
    return replace(
        family,
        version=getattr(stated, "version", family.version),
        packages=tuple(getattr(stated, "packages", family.packages)),
    )


def config_file(card: BackboneCard) -> str:
    """The name of the file beside a card's weights that describes its architecture."""
    return FAMILIES[card.family].config_file if card.family in FAMILIES else Family.config_file
