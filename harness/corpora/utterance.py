"""A labelled recording, and a corpus of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Utterance:
    """One labelled recording, or the stretch of one between `start_s` and `end_s`."""

    utterance_id: str
    path: Path
    label: str
    speaker: str | None
    start_s: float | None = None
    end_s: float | None = None
    split: str | None = None
    """The corpus's own split ("train", "dev", "test"), where it has one."""
    fold: int | None = None
    """The corpus's own fold in which this utterance is tested, where it has folds."""
    text: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class Corpus:
    """Utterances with their classes in a fixed order.

    `own_folds` holds, for corpora that publish train and test lists per fold, the test
    utterance ids of each fold number.
    """

    name: str
    utterances: tuple[Utterance, ...]
    classes: tuple[str, ...]
    own_folds: dict[int, frozenset[str]] = field(default_factory=dict)

    def class_index(self) -> dict[str, int]:
        """The number of each class, 0 to C-1."""
        return {label: index for index, label in enumerate(self.classes)}
