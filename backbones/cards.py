"""What is known about each backbone before anything of it is loaded. No torch here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

FOREIGN_ERRORS = (Exception, SystemExit)
"""Whatever code of others raises; it may also ask to end the program."""


class BackboneError(Exception):
    """A backbone cannot be found, loaded or used as asked; the message says what to do."""


@dataclass(frozen=True)
class BackboneCard:
    """The facts a user weighs before choosing a backbone."""

    name: str
    family: str
    """What loads it, e.g. "wavlm", "whisper", "emotion2vec"; or "module" or "module:attribute" of
    an installed package, an object as `backbones.families.family_of` describes it."""
    hidden_size: int
    depth: int
    """Transformer layers that an utterance crosses (what finetune_layers counts)."""
    sample_rate_hz: int = 16_000
    frame_rate_hz: float = 50.0
    parameters: int | None = None
    """How many numbers the forward pass uses, decoders and classifiers left out."""
    licence: str = ""
    huggingface: str | None = None
    """Repository on the Hugging Face hub, "org/name"."""
    modelscope: str | None = None
    """Repository on ModelScope, "org/name"; where there is one, it is asked first."""
    folder: str | None = None
    """A folder of this machine, for a user's own network that is on no hub."""
    stored_as: str = ""
    """Its folder under $HARNESS_MODELS, where that is not called `name`."""
    pads_to_s: float | None = None
    """Whisper's published way: zeros follow an utterance up to a whole multiple of this, and their
    frames count as its own; None hears it as long as it is."""
    revision: str | None = None
    """The pinned revision on its first hub; None where none could be verified."""
    aliases: tuple[str, ...] = ()
    pretrained_on: tuple[str, ...] = ()
    """Corpora whose recordings it heard before, or what else it heard; empty if nobody says."""
    emotion_labels_seen: tuple[str, ...] = ()
    """Corpora whose emotion labels this checkpoint was tuned on: contamination to report. "EmoBox"
    stands for all of its academic corpora."""
    pseudo_labels_of: tuple[str, ...] = ()
    """The same of another network that guessed the labels which this checkpoint was tuned on."""
    always_random: bool = False
    """True for the tiny test networks, which exist with random weights only."""
    architecture: dict[str, object] = field(default_factory=dict, hash=False)
    """Keyword arguments of the architecture's config, used by `init: random`."""

    @property
    def downloadable(self) -> bool:
        """Whether pretrained weights exist, on some hub or in a folder of its own."""
        return any((self.huggingface, self.modelscope, self.folder))


@dataclass(frozen=True)
class Weights:
    """Where a loaded backbone's numbers came from."""

    digest: str
    """SHA-256 over every tensor the forward pass uses: names, shapes, dtypes and bytes."""
    source: str
    """The folder the checkpoint was read from, or "random(seed=0)"."""
    init: Literal["pretrained", "random", "none"]
    """"none" for a backbone without parameters, such as log-mel."""
    revision: str | None = None


def released_layers(
    finetune_layers: int | Literal["all"], depth: int, name: str = "the backbone"
) -> int:
    """How many of `depth` transformer layers train, from the top down; `name` is for the error.

    Raises:
        BackboneError: there are not that many.

    >>> released_layers("all", 12), released_layers(3, 12)
    (12, 3)
    """
    count = depth if finetune_layers == "all" else finetune_layers
    if not 0 <= count <= depth:
        raise BackboneError(
            f"finetune_layers {finetune_layers} is out of range: {name} has {depth} layers"
        )
    return count
