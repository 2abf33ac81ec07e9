"""The points of a matrix: which corpus, backbone, fold and axis values belong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from backbones import BackboneCard
from harness.suite.located import KeyPath, Mistake
from harness.suite.rules import Matrix, Rule
from harness.suite.schema import FinetuneLayers

Folds = Mapping[str, Sequence[int | None]]
"""Corpus -> its fold numbers; None stands for folds that are not known yet."""


@dataclass(frozen=True)
class Point:
    """A trial to be: where it stands in the matrix."""

    corpus: str
    backbone: str
    fold: int | None
    values: dict[str, Any]
    """Every leaf of the axes by its full name."""
    path: KeyPath
    """The part of the suite that brought it in."""

    @property
    def layers(self) -> FinetuneLayers:
        """How many top layers train."""
        value: FinetuneLayers = self.values["finetune_layers"]
        return value


def matrix_points(
    matrix: Matrix, base: dict[str, Any], folds: Folds, backbones: Mapping[str, BackboneCard]
) -> tuple[list[Point], list[Mistake]]:
    """The points a matrix keeps, in the order of trials, and what is mistaken about them.

    Args:
        matrix: the rules
        base: every leaf's value where no rule says otherwise
        folds: the corpora, in order, with their folds
        backbones: the cards of the backbones by name, in order
    """
    kept: list[Point] = []
    listed = list(backbones)
    used: set[KeyPath] = set()
    for point in _rule_points(matrix.listed, base, folds, listed):
        hits = [rule.path for rule in matrix.exclude if _hit(rule, point)]
        used.update(hits)
        if not hits:
            kept.append(point)
    for rule in matrix.include:
        kept += _rule_points(rule, base, folds, listed)
    idle = [
        Mistake(rule.path, "matrix.exclude: this rule matches no trial of the matrix")
        for rule in matrix.exclude
        if rule.path not in used
    ]
    mistakes = idle + _too_deep(kept, backbones) + _summed_but_trained(kept)
    return _ordered(kept, list(folds), listed), mistakes


def _rule_points(
    rule: Rule, base: dict[str, Any], folds: Folds, backbones: Sequence[str]
) -> Iterator[Point]:
    for corpus, backbone in product(folds, backbones):
        for fold in folds[corpus]:
            if rule.covers(corpus, backbone, fold):
                for combination in product(*rule.axes.values()):
                    values = base | dict(zip(rule.axes, combination, strict=True))
                    yield Point(corpus, backbone, fold, values, rule.path)


def _hit(rule: Rule, point: Point) -> bool:
    return rule.covers(point.corpus, point.backbone, point.fold) and all(
        point.values[axis] in values for axis, values in rule.axes.items()
    )


def _ordered(
    points: Sequence[Point], corpora: Sequence[str], backbones: Sequence[str]
) -> list[Point]:
    def place(point: Point) -> tuple[int, int, int, float]:
        layers = float("inf") if point.layers == "all" else point.layers
        corpus, backbone = corpora.index(point.corpus), backbones.index(point.backbone)
        return corpus, backbone, point.fold or 0, layers

    return sorted(points, key=place)


def _too_deep(points: Sequence[Point], backbones: Mapping[str, BackboneCard]) -> list[Mistake]:
    found: dict[Mistake, None] = {}
    for point in points:
        depth = backbones[point.backbone].depth
        if point.layers != "all" and point.layers > depth:
            path = (*point.path, "finetune_layers")
            text = (
                f"matrix: finetune_layers {point.layers} is beyond "
                f"{point.backbone}, which has {depth} layers: {_remedy(point)}"
            )
            found[Mistake(path, text)] = None
    return list(found)


def _summed_but_trained(points: Sequence[Point]) -> list[Mistake]:
    text = (
        "matrix: a weighted sum of layers is for frozen backbones, finetune_layers 0: leave the "
        "others out with exclude: [{layers: weighted_sum, finetune_layers: "
    )
    found = {
        point.layers: point.path
        for point in points
        if point.values["head.layers"] == "weighted_sum" and point.layers != 0
    }
    return [Mistake(path, f"{text}{layers}}}]") for layers, path in found.items()]


def _remedy(point: Point) -> str:
    if "include" in point.path:
        return "lower it, or name in the rule the backbones it is for"
    pair = f"{{backbone: {point.backbone}, finetune_layers: {point.layers}}}"
    return f"lower it, or leave the pair out with exclude: [{pair}]"
