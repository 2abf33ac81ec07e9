"""The table of backbones: name → card. No torch here."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from backbones import published, unpublished
from backbones.cards import BackboneCard, BackboneError
from backbones.plugins import card_from_config, installed_cards

BACKBONES: dict[str, BackboneCard] = {
    card.name: card for card in (*published.CARDS, *unpublished.CARDS)
}
"""Every backbone by its canonical name, in the order in which tables show them."""

for installed in installed_cards(BACKBONES):
    BACKBONES[installed.name] = installed

NOT_DECLARED = tuple(BACKBONES.values())


def declare(name: str, kind: str, source: str | Path, revision: str | None = None) -> BackboneCard:
    """Add a backbone of the user's own to the table, described by the config at its source.

    Args:
        name: what it is to be called; not as a backbone that is there already.
        kind: the family that loads it, e.g. "hubert".
        source: a folder, or a repository of the Hugging Face hub, "org/name".
        revision: a branch or commit of that repository.

    Raises:
        BackboneError: the name is taken, or the source describes no such network.
    """
    if any(_folded(name) == _folded(used) for card in NOT_DECLARED for used in _spellings(card)):
        raise BackboneError(f"{name} is a backbone already: give yours a name of its own")
    BACKBONES[name] = card_from_config(name, kind, str(source), revision)
    return BACKBONES[name]


def canonical_name(name: str) -> str:
    """The name in `BACKBONES` of what a user wrote: plain, as either hub has it, or a folder.

    Case does not matter, nor whether words are joined by - or _. A folder is called as the
    backbone in it.

    Raises:
        BackboneError: no backbone is called that; the message lists those there are.

    >>> canonical_name("iic/emotion2vec_plus_base")
    'emotion2vec_plus_base'
    >>> canonical_name("microsoft/WavLM-Base-Plus")
    'wavlm-base-plus'
    """
    latest_first = reversed(BACKBONES.values())  # so that the first with a spelling keeps it
    known = {_folded(written): card.name for card in latest_first for written in _spellings(card)}
    for written in (name, Path(name).name if is_folder(name) else name):
        if _folded(written) in known:
            return known[_folded(written)]
    nearest = get_close_matches(_folded(name), known, n=1)
    hint = f", did you mean {known[nearest[0]]}?" if nearest else "."
    raise BackboneError(f"no backbone is called {name!r}{hint} There are: {', '.join(BACKBONES)}")


def is_folder(name: str) -> bool:
    """Whether what a user wrote is the path of a folder, and no backbone's name."""
    return Path(name).name != name and Path(name).is_dir()


def card(name: str) -> BackboneCard:
    """The card of a backbone, by any of its names.

    Raises:
        BackboneError: no backbone is called that.
    """
    return BACKBONES[canonical_name(name)]


def _spellings(card: BackboneCard) -> tuple[str, ...]:
    hubs = (card.huggingface, card.modelscope)
    return (card.name, *card.aliases, *(repository for repository in hubs if repository))


def _folded(name: str) -> str:
    return name.strip().lower().replace("_", "-")
