"""What suites say of corpora and backbones that decides no outcome, kept beside the records.

It is no part of a trial: said later, it holds for finished trials too, and voids none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from pydantic import Field

from harness.results.records import Frozen
from harness.specs import ListedBackbone, ListedCorpus, Suite

Value = TypeVar("Value")


class SeenStatement(Frozen):
    """What the weights of a backbone have seen, as a suite says it; None of what it does not."""

    audio_seen: tuple[str, ...] | None = None
    emotion_labels_seen: tuple[str, ...] | None = None


class SeenStatements(Frozen):
    """By the names in the suite."""

    known_as: Mapping[str, str] = Field(default_factory=dict)
    """Corpus -> the published one that it is."""
    backbones: Mapping[str, SeenStatement] = Field(default_factory=dict)

    def updated(self, suite: Suite) -> SeenStatements:
        """With all that a suite says, or no longer says, of what it lists."""
        return SeenStatements(
            known_as=_without(self.known_as, suite.corpora) | _known_as(suite.corpora),
            backbones=_without(self.backbones, suite.backbones) | _seen(suite.backbones),
        )

    def joined(self, other: SeenStatements) -> SeenStatements:
        """With what another says beside it, or otherwise."""
        return SeenStatements(
            known_as={**self.known_as, **other.known_as},
            backbones={**self.backbones, **other.backbones},
        )


def _without(
    said: Mapping[str, Value], listed: Iterable[ListedCorpus | ListedBackbone]
) -> dict[str, Value]:
    names = {spec.name for spec in listed}
    return {name: value for name, value in said.items() if name not in names}


def _known_as(corpora: Iterable[ListedCorpus]) -> dict[str, str]:
    return {spec.name: spec.known_as for spec in corpora if spec.known_as is not None}


def _seen(backbones: Iterable[ListedBackbone]) -> dict[str, SeenStatement]:
    found = {
        spec.name: SeenStatement(
            audio_seen=spec.audio_seen, emotion_labels_seen=spec.emotion_labels_seen
        )
        for spec in backbones
    }
    return {name: said for name, said in found.items() if said != SeenStatement()}
