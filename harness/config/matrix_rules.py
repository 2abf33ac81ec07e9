"""What the matrix section says, read into typed rules, each mistake with its path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from backbones import BACKBONES, BackboneError
from harness.config.axes import AXES, AXIS_NAMES, SELECTORS, axis_value
from harness.config.validation_messages import shown
from harness.config.yaml_tree import KeyPath, Mistake
from harness.errors import SuiteError, choices
from harness.tasks.task import TaskCard


def default_axes(task: TaskCard) -> dict[str, tuple[Any, ...]]:
    """The axes that every matrix has, with what they are where it does not say."""
    return {"finetune_layers": (0,), "loss": (task.default_loss,), "seed": (1,)}


@dataclass(frozen=True)
class Rule:
    """Some corpora, backbones and folds, with the values that each axis may have."""

    path: KeyPath
    corpus: tuple[str, ...] = ("*",)
    """Patterns of names, as in file names."""
    backbone: tuple[str, ...] = ("*",)
    fold: tuple[int, ...] = ()
    """Fold numbers; every fold when empty."""
    axes: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def covers(self, corpus: str, backbone: str, fold: int | None) -> bool:
        """Whether the rule speaks of these; a fold that is not known yet may be any."""
        return (
            any(fnmatchcase(corpus, pattern) for pattern in self.corpus)
            and any(fnmatchcase(backbone, pattern) for pattern in self.backbone)
            and (fold is None or not self.fold or fold in self.fold)
        )


@dataclass(frozen=True)
class Matrix:
    """The listed matrix, what is cut from it and what is added after."""

    listed: Rule
    exclude: tuple[Rule, ...] = ()
    include: tuple[Rule, ...] = ()


def read_matrix(
    section: Any, corpora: Sequence[str], backbones: Sequence[str], task: TaskCard
) -> tuple[Matrix, list[Mistake]]:
    """Read the `matrix` section of a suite that lists these corpora and backbones.

    What is mistaken is left out of the matrix and listed beside it.
    """
    reader = _Reader(corpora, backbones, task)
    if not isinstance(section, Mapping):
        return Matrix(Rule(("matrix",), axes=default_axes(task))), reader.mistakes
    written = {key: value for key, value in section.items() if key not in ("include", "exclude")}
    axes = {**default_axes(task), **reader.axes(written, ("matrix",))}
    listed = Rule(("matrix",), axes=axes)
    return (
        Matrix(
            listed,
            exclude=reader.rules(section, "exclude", {}),
            include=reader.rules(section, "include", axes),
        ),
        reader.mistakes,
    )


class _Reader:
    """Reads rules and gathers what is wrong with them."""

    def __init__(self, corpora: Sequence[str], backbones: Sequence[str], task: TaskCard) -> None:
        self.corpora = corpora
        self.backbones = backbones
        self.task = task
        self.mistakes: list[Mistake] = []

    def rules(
        self, section: Mapping[str, Any], key: str, axes: Mapping[str, tuple[Any, ...]]
    ) -> tuple[Rule, ...]:
        """The rules under `include` or `exclude`, on top of `axes`."""
        written = section.get(key) or []
        if not isinstance(written, list | tuple):
            self._add(("matrix", key), f"found {shown(written)}, needs a list of mappings")
            return ()
        return tuple(
            self._rule(item, ("matrix", key, index), axes)
            for index, item in enumerate(written)
            if self._is_rule(item, ("matrix", key, index))
        )

    def axes(self, written: Mapping[str, Any], path: KeyPath) -> dict[str, tuple[Any, ...]]:
        """The values of each axis; a single value stands for a list of one."""
        found: dict[str, tuple[Any, ...]] = {}
        for name, values in written.items():
            axis = AXIS_NAMES.get(name)
            if axis is None:
                self._add((*path, name), f"unknown axis {name!r}: {_axis_choices(name, path)}")
            elif axis in found:
                self._add((*path, name), f"{name} names the axis {axis} a second time")
            else:
                found[axis] = self._values(axis, values, (*path, name))
        return {axis: values for axis, values in found.items() if values}

    def _values(self, axis: str, written: Any, path: KeyPath) -> tuple[Any, ...]:
        if isinstance(written, list | tuple) and not written:
            self._add(path, f"{path[-1]}: the list is empty, it needs at least one value")
            return ()
        values: list[Any] = []
        for value_path, value in _listed(written, path):
            try:
                values.append(axis_value(axis, value, self.task))
            except SuiteError as error:
                self._add(value_path, f"{path[-1]}: {error}")
        return tuple(values)

    def _is_rule(self, item: Any, path: KeyPath) -> bool:
        if isinstance(item, Mapping) and item:
            return True
        self._add(path, f"found {shown(item)}, needs a mapping such as {{finetune_layers: 3}}")
        return False

    def _rule(
        self, item: Mapping[str, Any], path: KeyPath, axes: Mapping[str, tuple[Any, ...]]
    ) -> Rule:
        written = {key: value for key, value in item.items() if key not in SELECTORS}
        return Rule(
            path,
            corpus=self._patterns(item, "corpus", self.corpora, path),
            backbone=self._patterns(item, "backbone", self.backbones, path),
            fold=self._folds(item, path),
            axes={**axes, **self.axes(written, path)},
        )

    def _patterns(
        self, item: Mapping[str, Any], key: str, listed: Sequence[str], path: KeyPath
    ) -> tuple[str, ...]:
        patterns: list[str] = []
        for pattern_path, written in _listed(item.get(key, "*"), (*path, key)):
            pattern = _canonical(str(written)) if key == "backbone" else str(written)
            patterns.append(pattern)
            if listed and not any(fnmatchcase(name, pattern) for name in listed):
                hint = choices(pattern, listed)
                self._add(pattern_path, f"no {key} of this suite is {pattern!r}: {hint}")
        return tuple(patterns)

    def _folds(self, item: Mapping[str, Any], path: KeyPath) -> tuple[int, ...]:
        folds: list[int] = []
        for fold_path, fold in _listed(item.get("fold", []), (*path, "fold")):
            if isinstance(fold, int) and not isinstance(fold, bool) and fold > 0:
                folds.append(fold)
            else:
                self._add(fold_path, f"fold: found {shown(fold)}, needs a fold number, 1 or more")
        return tuple(folds)

    def _add(self, path: KeyPath, text: str) -> None:
        where = f"matrix.{path[1]}" if path[1] in ("include", "exclude") else "matrix"
        self.mistakes.append(Mistake(path, f"{where}: {text}"))


def _listed(written: Any, path: KeyPath) -> list[tuple[KeyPath, Any]]:
    if isinstance(written, list | tuple):
        return [((*path, index), value) for index, value in enumerate(written)]
    return [(path, written)]


def _canonical(pattern: str) -> str:
    try:
        return BACKBONES.canonical_name(pattern)
    except BackboneError:
        return pattern


def _axis_choices(name: str, path: KeyPath) -> str:
    in_rule = len(path) > 1
    extra = SELECTORS if in_rule else ("include", "exclude")
    near = choices(name, [*AXIS_NAMES, *extra]).partition("(allowed")[0]
    return f"{near}(allowed: {', '.join([*AXES, *extra])})"
