"""Cards that installed Python packages offer by entry points. No torch here."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from importlib.metadata import entry_points

from backbones.cards import FOREIGN_ERRORS, BackboneCard, BackboneError

GROUP = "ser_harness.backbones"
"""The group of entry points in which a Python package offers a BackboneCard."""


def plugin_cards() -> Iterator[tuple[str, BackboneCard]]:
    """Each offered card after the entry point that offers it, for messages.

    What cannot be used is left out with a warning.
    """
    for point in entry_points(group=GROUP):
        origin = f"{point.name} ({point.value})"
        try:
            card = point.load()
        except FOREIGN_ERRORS as error:
            warn_of(origin, error)
            continue
        if isinstance(card, BackboneCard):
            yield origin, card
        else:
            warn_of(origin, BackboneError("it is no BackboneCard"))


def warn_of(origin: str, error: BaseException) -> None:
    """Tell that the card of an entry point is left out, and why."""
    warnings.warn(f"backbone {origin} is left out: {error!r}", stacklevel=2)
