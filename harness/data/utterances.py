"""A recording with its target, a corpus of them, and the splits they fall into."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

Target = str | float


@dataclass(frozen=True, slots=True)
class Utterance:
    """One recording, or the segment of one between `start_s` and `end_s`."""

    utterance_id: str
    path: Path
    target: Target | None = None
    """What a model is to predict: a class's name, or a number; None if it is not known."""
    speaker: str | None = None
    start_s: float | None = None
    end_s: float | None = None
    text: str | None = None
    language: str | None = None
    sha256: str | None = None
    """Digest of its sound as it was looked at, to which it is held whenever it is decoded."""

    @property
    def stratum(self) -> str:
        """What splits balance: the class; numbers, and what is not known, are one stratum."""
        return self.target if isinstance(self.target, str) else ""


@dataclass(frozen=True)
class Splits:
    """The utterance ids of one fold's train, dev and test, each in sorted order."""

    train: tuple[str, ...]
    dev: tuple[str, ...]
    test: tuple[str, ...]

    def named(self) -> dict[str, tuple[str, ...]]:
        """The splits by name."""
        return {"train": self.train, "dev": self.dev, "test": self.test}

    def restricted(self, ids: Iterable[str]) -> Splits:
        """The same splits with only those of the utterances that are in `ids`."""
        kept = set(ids)
        return Splits(
            *(tuple(name for name in split if name in kept) for split in self.named().values())
        )


PublishedFolds = Mapping[str, Mapping[int, Splits]]
"""Who published them ("official": the corpus itself, or "emobox") -> fold number -> splits.

An empty dev is cut from train later.
"""


@dataclass(frozen=True)
class Corpus:
    """Utterances in the order of their ids."""

    name: str
    utterances: tuple[Utterance, ...]
    classes: tuple[str, ...]
    """Every target that is a name, in alphabetical order, whatever utterances are left out."""
    published: PublishedFolds = field(default_factory=dict)
    complete: bool = True
    """False if recordings are missing that the published corpus has."""

    def by_id(self) -> dict[str, Utterance]:
        """The utterances by their id."""
        return {utterance.utterance_id: utterance for utterance in self.utterances}

    def speakers(self) -> tuple[str, ...]:
        """The known speakers, sorted."""
        return tuple(sorted({u.speaker for u in self.utterances if u.speaker is not None}))

    def where(self, keep: Callable[[Utterance], bool]) -> Corpus:
        """The same corpus, classes and published folds included, with only some utterances."""
        return replace(self, utterances=tuple(filter(keep, self.utterances)))


def make_corpus(
    name: str, utterances: Iterable[Utterance], published: PublishedFolds | None = None
) -> Corpus:
    """Put utterances in the order of their ids and their classes in alphabetical order."""
    ordered = tuple(sorted(utterances, key=lambda utterance: utterance.utterance_id))
    classes = tuple(sorted({u.target for u in ordered if isinstance(u.target, str)}))
    return Corpus(name, ordered, classes, published or {})
