"""The shapes of scores, as records hold them. What cannot be scored is None, never 0."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass

ROUNDING = 1e-9
UnitInterval = Annotated[float, Field(ge=0, le=1 + ROUNDING)]


class SplitScores(BaseModel):
    """The scores of one split: beside these two, the metrics of the task by their names."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, float | None] = Field(init=False)

    utterances: Annotated[int, Field(ge=0)]
    loss: float | None = None

    def value(self, metric: str) -> float | None:
        """The score of that name."""
        found: float | None = getattr(self, metric)
        return found


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class ClassScore:
    """How well one class is recognised; a large suite has so many that a model each is too much."""

    precision: UnitInterval
    recall: UnitInterval
    f1: UnitInterval
    support: Annotated[int, Field(ge=0)]


class SplitMetrics(SplitScores):
    """All scores of classification on one split, in [0, 1].

    Accuracy is WA, `uar` is UA in the field's papers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accuracy: UnitInterval
    uar: UnitInterval
    macro_f1: UnitInterval
    weighted_f1: UnitInterval
    accuracy_frequent: UnitInterval | None
    """Accuracy on the classes that are frequent (middle, rare) in train, by terciles."""
    accuracy_middle: UnitInterval | None
    accuracy_rare: UnitInterval | None
    per_class: dict[str, ClassScore]
    confusion: list[list[int]]
    """Rows are true classes, columns predicted ones, in the order of `per_class`."""


RecordedScores = Annotated[SplitMetrics | SplitScores, Field(union_mode="left_to_right")]
"""The scores of a split in a record of any task."""
