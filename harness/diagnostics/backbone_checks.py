"""Whether the backbones on this machine are whole and keep their contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backbones import (
    BACKBONES,
    BackboneCard,
    BackboneError,
    Location,
    locate,
    places_tried,
)
from backbones.hub.local_files import checkpoint_files
from harness.backbone_card import card_of
from harness.diagnostics import Check
from harness.diagnostics.backbone_contract import CHECKS
from harness.files import file_digest
from harness.model.building import load_backbone
from harness.specs import BackboneSpec


def examine(wanted: Sequence[BackboneSpec] = ()) -> Iterator[Check]:
    """Every check of these backbones, each as soon as it is made; no weights are fetched.

    Args:
        wanted: backbones as a suite lists them; left out, all whose files are on this machine,
            those of installed packages included. One that is wanted and is not here fails.

    Raises:
        BackboneError: a name is unknown.
    """
    every = [BackboneSpec(name=name) for name in BACKBONES]
    cards = {spec: card_of(spec) for spec in wanted or every}
    for spec, card in cards.items():
        yield from _examine(spec, card, wanted=bool(wanted))


def _examine(spec: BackboneSpec, card: BackboneCard, wanted: bool) -> Iterator[Check]:
    name = card.name
    needs_files = spec.init == "pretrained" and card.downloadable
    place = {"source": spec.folder, "revision": spec.revision}
    try:
        location = locate(card, **place) if needs_files else None
    except BackboneError as error:
        yield Check(name, "files", str(error), ok=False)
        return
    if location is not None:
        yield Check(name, "files", f"{location.found_in}: {location.folder}")
        yield from _check_digests(name, location)
    elif needs_files or not wanted:
        if wanted:
            tried = "; ".join(places_tried(card, **place))
            yield Check(name, "files", f"not on this machine; looked at {tried}", ok=False)
        return
    yield from _check_loaded(spec, name)


def _check_digests(name: str, location: Location) -> Iterator[Check]:
    """Files that the Hugging Face cache keeps under their SHA-256, compared with it."""
    published = {path: path.resolve().name for path in checkpoint_files(location.folder)}
    known = {path: digest for path, digest in published.items() if _is_digest(digest)}
    if not known:
        return
    damaged = [str(path) for path, digest in known.items() if file_digest(path) != digest]
    detail = f"not as published, fetch again: {', '.join(damaged)}" if damaged else "as published"
    yield Check(name, "bytes", detail, ok=not damaged)


def _is_digest(name: str) -> bool:
    return len(name) == 64 and set(name) <= set("0123456789abcdef")


def _check_loaded(spec: BackboneSpec, name: str) -> Iterator[Check]:
    try:
        backbone = load_backbone(spec, offline=True)
    except Exception as error:  # one broken backbone must not end the checks of others
        yield Check(name, "weights", _error_text(error), ok=False)
        return
    weights = backbone.weights
    yield Check(name, "weights", f"{weights.init}, verified; digest {weights.digest[:12]}")
    for title, check in CHECKS.items():
        try:
            yield Check(name, title, check(backbone))
        except Exception as error:
            yield Check(name, title, _error_text(error), ok=False)


def _error_text(error: Exception) -> str:
    return str(error) if isinstance(error, BackboneError) else f"{type(error).__name__}: {error}"
