"""Where labels of points go, so that none lies on another. Geometry alone: no drawing here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_RASTER = 20.0
_NEAR = 2.0
"""Between a point and its label."""
_DISTANCES = (0.0, 7.0, 14.0, 21.0, 30.0)
_DIRECTIONS = ((1, 1), (1, 0), (-1, 1), (-1, 0), (0, 1), (1, -1), (-1, -1), (0, -1))


@dataclass(frozen=True)
class Box:
    """A rectangle with upright sides."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def middle(self) -> tuple[float, float]:
        """The point at equal distances from its sides."""
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2

    def overlaps(self, other: Box) -> bool:
        """Whether they have more than an edge in common."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def within(self, other: Box) -> bool:
        """Whether no part of it lies outside the other."""
        return (
            other.left <= self.left
            and self.right <= other.right
            and other.bottom <= self.bottom
            and self.top <= other.top
        )


@dataclass(frozen=True)
class Label:
    """A text of some size that belongs to a point."""

    x: float
    y: float
    """Of the point."""
    width: float
    height: float
    first: bool = False
    """Whether it is placed before the others, since it says what must not be overlooked."""


@dataclass(frozen=True)
class LabelPlace:
    """Where a label lies, and whether a line has to lead to it."""

    box: Box
    far: bool


def place_labels(
    labels: Sequence[Label], marks: Sequence[Box], area: Box
) -> list[LabelPlace | None]:
    """A place for each label, near its point, where it covers neither a label nor a mark.

    Args:
        labels: in the unit of the boxes
        marks: what must not be covered
        area: which no label leaves

    Returns:
        The places in the order of the labels; None where there is no room.
    """
    found: dict[int, LabelPlace] = {}
    taken = _TakenBoxes()
    for mark in marks:
        taken.add(mark)
    for number in sorted(range(len(labels)), key=lambda number: not labels[number].first):
        for place in _candidates(labels[number]):
            if place.box.within(area) and not taken.overlap(place.box):
                found[number] = place
                taken.add(place.box)
                break
    return [found.get(number) for number in range(len(labels))]


class _TakenBoxes:
    """Boxes by the squares of a raster that they touch, so that only the near ones are compared."""

    def __init__(self) -> None:
        self._by_square: dict[tuple[int, int], list[Box]] = defaultdict(list)

    def add(self, box: Box) -> None:
        for square in _squares(box):
            self._by_square[square].append(box)

    def overlap(self, box: Box) -> bool:
        return any(
            box.overlaps(other) for square in _squares(box) for other in self._by_square[square]
        )


def _squares(box: Box) -> Iterator[tuple[int, int]]:
    for across in range(int(box.left // _RASTER), int(box.right // _RASTER) + 1):
        for up in range(int(box.bottom // _RASTER), int(box.top // _RASTER) + 1):
            yield across, up


def _candidates(label: Label) -> Iterator[LabelPlace]:
    """Places around a point, from the nearest on."""
    for distance in _DISTANCES:
        for across, up in _DIRECTIONS:
            x = label.x + across * (label.width / 2 + _NEAR + distance)
            y = label.y + up * (label.height / 2 + _NEAR + distance)
            half_width, half_height = label.width / 2, label.height / 2
            box = Box(x - half_width, y - half_height, x + half_width, y + half_height)
            yield LabelPlace(box, far=distance > 0)
