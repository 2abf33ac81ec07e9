"""Which backbones there are: an immutable table of cards by name. No torch here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from backbones.cards import BackboneCard, BackboneError
from backbones.families import TABLE
from backbones.hub.local_files import is_folder
from backbones.hub.plugins import plugin_cards, warn_of


@dataclass(frozen=True, eq=False)
class Catalogue(Mapping[str, BackboneCard]):
    """Cards by canonical name, in the order in which tables show them."""

    cards: tuple[BackboneCard, ...]

    def __getitem__(self, name: str) -> BackboneCard:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def canonical_name(self, name: str) -> str:
        """The name here of what a user wrote: plain, as either hub has it, or a folder.

        Case does not matter, nor whether words are joined by - or _. A folder is called as the
        backbone in it.

        Raises:
            BackboneError: no backbone is called that; the message lists those there are.

        >>> BACKBONES.canonical_name("iic/emotion2vec_plus_base")
        'emotion2vec_plus_base'
        >>> BACKBONES.canonical_name("microsoft/WavLM-Base-Plus")
        'wavlm-base-plus'
        """
        for written in (name, Path(name).name if _names_folder(name) else name):
            if _folded(written) in self._names:
                return self._names[_folded(written)]
        nearest = get_close_matches(_folded(name), self._names, n=1)
        hint = f"did you mean {self._names[nearest[0]]!r}? " if nearest else ""
        raise BackboneError(f"unknown backbone {name!r}: {hint}(allowed: {', '.join(self)})")

    def card(self, name: str) -> BackboneCard:
        """The card of a backbone by any of its names; a folder's says that its files lie there.

        Raises:
            BackboneError: no backbone is called that.
        """
        card = self[self.canonical_name(name)]
        if not _names_folder(name):
            return card
        return replace(card, folder=name, huggingface=None, modelscope=None)

    def with_card(self, card: BackboneCard) -> Catalogue:
        """A catalogue with one more card, its last.

        Raises:
            BackboneError: its name is taken.
        """
        self.check_free(card.name)
        return Catalogue((*self.cards, card))

    def check_free(self, name: str) -> None:
        """Refuse a name that a backbone here answers to.

        Raises:
            BackboneError: one does.
        """
        if _folded(name) in self._names:
            raise BackboneError(f"{name} is a backbone already: give yours a name of its own")

    @cached_property
    def _by_name(self) -> Mapping[str, BackboneCard]:
        return {card.name: card for card in self.cards}

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """Canonical names by every spelling."""
        latest_first = reversed(self.cards)  # so that the first with a spelling keeps it
        return {_folded(used): card.name for card in latest_first for used in _spellings(card)}


def _spellings(card: BackboneCard) -> tuple[str, ...]:
    hubs = (card.huggingface, card.modelscope)
    return (card.name, *card.aliases, *(repository for repository in hubs if repository))


def _folded(name: str) -> str:
    return name.strip().lower().replace("_", "-")


def _names_folder(name: str) -> bool:
    """A bare name never means a folder, even if one in the working directory is called that."""
    return Path(name).name != name and is_folder(name)


def _built_in() -> Catalogue:
    cards = (card for family in TABLE for card in family.cards)
    return Catalogue(tuple(sorted(cards, key=lambda card: card.always_random)))


def _with_plugins(catalogue: Catalogue, offered: Iterable[tuple[str, BackboneCard]]) -> Catalogue:
    for origin, card in offered:
        try:
            catalogue = catalogue.with_card(card)
        except BackboneError as error:
            warn_of(origin, error)
    return catalogue


BACKBONES = _with_plugins(_built_in(), plugin_cards())
"""The backbones of this package, the tiny ones last, then those of installed packages."""
