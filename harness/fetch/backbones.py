"""Backbones from their hubs; `backbones` itself knows where they lie and how they are fetched."""

from __future__ import annotations

import backbones
from harness.errors import UserError
from harness.fetch.corpora import Fetched
from harness.suite.backbone_card import card_of
from harness.suite.schema import BackboneSpec


def prefetch_backbone(spec: BackboneSpec, *, offline: bool = False) -> Fetched:
    """Make sure that a backbone's weights lie on this machine.

    Args:
        spec: Which backbone; one without weights, or with random ones, needs no files.
        offline: Only look; never ask the network.

    Raises:
        UserError: the weights are not there, and `offline` says not to fetch them.
        BackboneError: from `backbones`, if they cannot be fetched.
    """
    card = card_of(spec)
    if spec.init == "random" or not card.downloadable:
        return Fetched(spec.name, None, was_there=True)
    found = backbones.locate(card, source=spec.folder, revision=spec.revision)
    if found is not None:
        return Fetched(spec.name, found.folder, was_there=True)
    if offline:
        raise UserError(
            f"backbone {spec.name!r} is not on this machine, and it is not fetched while offline; "
            f"put its weights at $HARNESS_MODELS/{spec.name}, or name their folder as `source:`"
        )
    return Fetched(
        spec.name,
        backbones.fetch(card, source=spec.folder, revision=spec.revision).folder,
        was_there=False,
    )
