"""The entries of a matrix: which corpus, backbone, fold and axis values belong together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from backbones import BackboneCard
from harness.config.matrix_rules import Matrix, Rule
from harness.config.yaml_tree import KeyPath, Mistake
from harness.specs import PROBE_LOSSES, PROBES, FinetuneLayers
from harness.tasks.task import TaskCard

MOST_TRIALS = 500_000
MOST_CANDIDATES = 1_000

Folds = Mapping[str, Sequence[int | None]]
"""Corpus -> its fold numbers; None stands for folds that are not known yet."""


@dataclass(frozen=True)
class MatrixEntry:
    """What varies between the trials of a suite, for one of them."""

    corpus: str
    backbone: str
    fold: int | None
    values: dict[str, Any]
    """Every leaf of the axes by its full name."""
    path: KeyPath
    """Of the rule that it comes from."""

    @property
    def layers(self) -> FinetuneLayers:
        """How many top layers train."""
        value: FinetuneLayers = self.values["finetune_layers"]
        return value

    @property
    def loss(self) -> str:
        """The loss by its name."""
        return str(self.values["loss"])


def matrix_entries(
    matrix: Matrix,
    base: dict[str, Any],
    folds: Folds,
    backbones: Mapping[str, BackboneCard],
    task: TaskCard,
    choices: Mapping[str, Sequence[Any]],
) -> tuple[list[MatrixEntry], list[Mistake]]:
    """The entries that a matrix keeps, in the order of trials, and what is mistaken about them.

    Args:
        matrix: the rules
        base: every leaf's value where no rule says otherwise
        folds: the corpora, in order, with their folds
        backbones: the cards of the backbones by name, in order
        task: what is predicted
        choices: axis -> values that dev chooses among, which must all be possible
    """
    if too_many := _too_many(matrix, folds, len(backbones), choices):
        return [], too_many
    kept: list[MatrixEntry] = []
    listed = list(backbones)
    used: set[KeyPath] = set()
    for entry in _rule_entries(matrix.listed, base, folds, listed):
        hits = [rule.path for rule in matrix.exclude if _hit(rule, entry)]
        used.update(hits)
        if not hits:
            kept.append(entry)
    for rule in matrix.include:
        kept += _rule_entries(rule, base, folds, listed)
    unused = [
        Mistake(rule.path, "matrix.exclude: this rule matches no trial of the matrix")
        for rule in matrix.exclude
        if rule.path not in used
    ]
    candidates = _candidates(kept, choices)
    mistakes = unused + _too_deep(kept, backbones) + _summed_but_trained(candidates, choices)
    mistakes += _probes_that_cannot_be(candidates, task, choices)
    return _ordered(kept, list(folds), listed), mistakes


def _too_many(
    matrix: Matrix, folds: Folds, backbones: int, choices: Mapping[str, Sequence[Any]]
) -> list[Mistake]:
    """Told before any of them is made."""
    per_cell = sum(map(len, folds.values())) * backbones
    found = []
    for rule in (matrix.listed, *matrix.include):
        count = per_cell * math.prod(map(len, rule.axes.values()))
        if count > MOST_TRIALS:
            text = f"matrix: it has up to {count:,} trials, at most {MOST_TRIALS:,} are possible"
            found.append(Mistake(rule.path, text))
    count = math.prod(map(len, choices.values()))
    if count > MOST_CANDIDATES:
        text = f"choose: {count:,} combinations, at most {MOST_CANDIDATES:,} are possible"
        found.append(Mistake((), text))
    return found


def _rule_entries(
    rule: Rule, base: dict[str, Any], folds: Folds, backbones: Sequence[str]
) -> Iterator[MatrixEntry]:
    for corpus, backbone in product(folds, backbones):
        for fold in folds[corpus]:
            if rule.covers(corpus, backbone, fold):
                for combination in product(*rule.axes.values()):
                    values = base | dict(zip(rule.axes, combination, strict=True))
                    yield MatrixEntry(corpus, backbone, fold, values, rule.path)


def _hit(rule: Rule, entry: MatrixEntry) -> bool:
    return rule.covers(entry.corpus, entry.backbone, entry.fold) and all(
        entry.values[axis] in values for axis, values in rule.axes.items()
    )


def _candidates(
    entries: Sequence[MatrixEntry], choices: Mapping[str, Sequence[Any]]
) -> list[MatrixEntry]:
    """The entries with every value that dev may choose for what is not possible everywhere."""
    axes = [axis for axis in ("head.kind", "head.layers") if axis in choices]
    return [
        replace(entry, values=entry.values | dict(zip(axes, values, strict=True)))
        for entry in entries
        for values in product(*(choices[axis] for axis in axes))
    ]


def _ordered(
    entries: Sequence[MatrixEntry], corpora: Sequence[str], backbones: Sequence[str]
) -> list[MatrixEntry]:
    def sort_key(entry: MatrixEntry) -> tuple[int, int, int, float]:
        layers = float("inf") if entry.layers == "all" else entry.layers
        corpus, backbone = corpora.index(entry.corpus), backbones.index(entry.backbone)
        return corpus, backbone, entry.fold or 0, layers

    return sorted(entries, key=sort_key)


def _too_deep(
    entries: Sequence[MatrixEntry], backbones: Mapping[str, BackboneCard]
) -> list[Mistake]:
    found: dict[Mistake, None] = {}
    for entry in entries:
        depth = backbones[entry.backbone].depth
        if entry.layers != "all" and entry.layers > depth:
            path = (*entry.path, "finetune_layers")
            text = (
                f"matrix: finetune_layers {entry.layers} is beyond "
                f"{entry.backbone}, which has {depth} layers: {_remedy(entry)}"
            )
            found[Mistake(path, text)] = None
    return list(found)


def _summed_but_trained(
    entries: Sequence[MatrixEntry], choices: Mapping[str, Sequence[Any]]
) -> list[Mistake]:
    text = "matrix: a weighted sum of layers is for frozen backbones, finetune_layers 0"
    found = {
        entry.layers: entry.path
        for entry in entries
        if entry.values["head.layers"] == "weighted_sum" and entry.layers != 0
    }
    return [
        Mistake(
            path,
            f"{text}: take it out of choose for head.layers"
            if "head.layers" in choices
            else f"{text}: leave the others out with exclude: "
            f"[{{layers: weighted_sum, finetune_layers: {layers}}}]",
        )
        for layers, path in found.items()
    ]


def _probes_that_cannot_be(
    entries: Sequence[MatrixEntry], task: TaskCard, choices: Mapping[str, Sequence[Any]]
) -> list[Mistake]:
    found: dict[str, Mistake] = {}
    for entry in entries:
        kind = entry.values["head.kind"]
        if kind not in PROBES:
            continue
        for why, rule, wrong in (
            (f"task {task.name} has no such probe", "", kind not in task.probes),
            (
                "a probe trains no layers of the backbone",
                f", finetune_layers: {entry.layers}",
                entry.layers != 0,
            ),
            (
                "a probe reads the last layer, and a weighted sum is learned by gradients",
                ", layers: weighted_sum",
                entry.values["head.layers"] == "weighted_sum",
            ),
            (
                f"a probe has a loss of its own, or that weighted by class, and not {entry.loss}",
                f", loss: {entry.loss}",
                entry.loss not in PROBE_LOSSES,
            ),
        ):
            remedy = (
                "take it out of choose for head.kind"
                if "head.kind" in choices
                else f"leave it out with exclude: [{{kind: {kind}{rule}}}]"
            )
            if wrong:
                text = f"matrix: head.kind {kind}: {why}: {remedy}"
                found.setdefault(why, Mistake(entry.path, text))
    return list(found.values())


def _remedy(entry: MatrixEntry) -> str:
    if "include" in entry.path:
        return "lower it, or name in the rule the backbones it is for"
    pair = f"{{backbone: {entry.backbone}, finetune_layers: {entry.layers}}}"
    return f"lower it, or leave the pair out with exclude: [{pair}]"
