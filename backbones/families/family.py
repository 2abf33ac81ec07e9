"""What is known of a family of networks before any of it is loaded. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from backbones.cards import BackboneCard, BackboneError

if TYPE_CHECKING:
    from backbones.base import Backbone


class NetworkModule(Protocol):
    """What the module of a family's network offers, and so must a plug-in's."""

    def read_settings(self, folder: Path) -> Mapping[str, object]:
        """The architecture that lies beside a checkpoint; not needed without checkpoints."""

    def build(self, card: BackboneCard, settings: Mapping[str, object]) -> Backbone:
        """A network of that architecture, its weights as its constructor leaves them."""


@dataclass(frozen=True)
class Family:
    """Networks that one module builds, and the cards of the published ones."""

    names: tuple[str, ...]
    """What cards, and users that describe a network of their own, call it."""
    module: str
    """Where its `NetworkModule` is, "module" or "module:attribute"; imported when loaded."""
    packages: tuple[str, ...] = ("torch",)
    """Distributions whose versions decide its numbers."""
    version: int = 1
    """Raised whenever the family's code gives other numbers than before."""
    config_file: str = "config.json"
    """What describes the architecture beside the weights."""
    settings_key: str | None = None
    """Where in that file the network's settings are; None if they are all there is."""
    shape: Callable[[Mapping[str, Any]], tuple[int, int]] | None = None
    """From settings to hidden size and transformer layers that an utterance crosses; None where
    users have no networks of their own."""
    cards: tuple[BackboneCard, ...] = ()

    def network_module(self) -> NetworkModule:
        """The module that reads and builds its networks; this imports torch.

        Raises:
            BackboneError: it cannot be imported.
        """
        module, _, attribute = self.module.partition(":")
        try:
            found = import_module(module)
            return cast("NetworkModule", getattr(found, attribute) if attribute else found)
        except (ImportError, AttributeError) as error:
            raise BackboneError(f"the family {self.module} is not to be had: {error}") from error


def transformers_shape(config: Mapping[str, Any]) -> tuple[int, int]:
    """Hidden size and depth in the words that most of transformers' configs use.

    >>> transformers_shape({"hidden_size": 768, "num_hidden_layers": 12})
    (768, 12)
    """
    return int(config["hidden_size"]), int(config["num_hidden_layers"])
