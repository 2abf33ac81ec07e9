"""The shapes of scores. All values lie in [0, 1]; what cannot be scored is None, never 0."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Scores(BaseModel):
    """Immutable, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ClassScore(Scores):
    """How well one class is recognised."""

    precision: float
    recall: float
    f1: float
    support: int


class SplitMetrics(Scores):
    """All scores of one split. Accuracy is WA, `uar` is UA in the field's papers."""

    utterances: int
    loss: float | None
    accuracy: float
    uar: float
    macro_f1: float
    weighted_f1: float
    accuracy_frequent: float | None
    """Accuracy on the classes that are frequent (middle, rare) in train, by terciles."""
    accuracy_middle: float | None
    accuracy_rare: float | None
    per_class: dict[str, ClassScore]
    confusion: list[list[int]]
    """Rows are true classes, columns predicted ones, in the order of `per_class`."""


class Baselines(Scores):
    """What guessing scores on the same test split."""

    chance: SplitMetrics
    """Expected scores of guessing every class equally often."""
    majority: SplitMetrics
    """Always the class most frequent in train."""
