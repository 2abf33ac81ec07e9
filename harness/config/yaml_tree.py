"""A suite's YAML as a tree in which everything knows the place it was written at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import SuiteError

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class SourcePosition:
    """A line of a file, or an override of the command line (line 0)."""

    source: str
    line: int = 0

    @property
    def order(self) -> tuple[bool, str, int]:
        """Files before overrides, and their lines from top to bottom."""
        return self.line == 0, self.source, self.line

    def __str__(self) -> str:
        return f"{self.source}:{self.line}" if self.line else self.source


@dataclass(frozen=True)
class Mistake:
    """One thing wrong with a suite, at a path in its tree."""

    path: KeyPath
    text: str


@dataclass(frozen=True)
class LocatedMistake:
    """One thing wrong with a suite, at the place where it was written."""

    position: SourcePosition
    text: str


@dataclass(frozen=True)
class LocatedValue:
    """A value and where it was written; mappings and lists hold further `LocatedValue`."""

    value: Any
    position: SourcePosition

    def plain(self) -> Any:
        """The value alone, as plain dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value

    def position_of(self, path: KeyPath) -> SourcePosition:
        """Where `path` was written, or what of it comes nearest."""
        here = self
        for step in path:
            below = here._below(step)
            if below is None:
                break
            here = below
        return here.position

    def _below(self, step: str | int) -> LocatedValue | None:
        below: dict[str | int, LocatedValue] = {}
        if isinstance(self.value, dict):
            below = self.value
        elif isinstance(self.value, list):
            below = dict(enumerate(self.value))
        return below.get(step)


def merge(base: LocatedValue, child: LocatedValue) -> LocatedValue:
    """Lay `child` over `base`: mappings merge key by key, anything else replaces.

    A mapping from positions, or from `*` for every one of them, merges into the items of a list.

    >>> here = SourcePosition("a.yaml", 1)
    >>> base = LocatedValue({"a": LocatedValue(1, here), "b": LocatedValue(2, here)}, here)
    >>> merge(base, LocatedValue({"b": LocatedValue(3, here)}, here)).plain()
    {'a': 1, 'b': 3}
    >>> names = LocatedValue([LocatedValue("one", here), LocatedValue("two", here)], here)
    >>> init = LocatedValue({"init": LocatedValue("random", here)}, here)
    >>> child = LocatedValue({"1": init}, here)
    >>> merge(names, child).plain()
    ['one', {'name': 'two', 'init': 'random'}]
    """
    if isinstance(base.value, list) and _names_items(child, len(base.value)):
        return _merge_items(base, child)
    if not (isinstance(base.value, dict) and isinstance(child.value, dict)):
        return child
    merged = dict(base.value)
    for key, item in child.value.items():
        merged[key] = merge(merged[key], item) if key in merged else item
    return LocatedValue(merged, child.position)


def _names_items(child: LocatedValue, count: int) -> bool:
    positions = {"*", *map(str, range(count))}
    return isinstance(child.value, dict) and bool(child.value) and child.value.keys() <= positions


def _merge_items(base: LocatedValue, child: LocatedValue) -> LocatedValue:
    items = list(base.value)
    for index in range(len(items)):
        for key in ("*", str(index)):
            if key in child.value:
                items[index] = merge(_named(items[index], child.value[key]), child.value[key])
    return LocatedValue(items, base.position)


def _named(item: LocatedValue, child: LocatedValue) -> LocatedValue:
    """A plain name as the mapping it stands for, if a mapping is to be laid over it."""
    if isinstance(child.value, dict) and isinstance(item.value, str):
        return LocatedValue({"name": item}, item.position)
    return item


def all_mistakes(title: str, mistakes: Sequence[LocatedMistake]) -> SuiteError:
    """One error that lists every mistake, in the order of their lines."""
    ordered = sorted(dict.fromkeys(mistakes), key=lambda mistake: mistake.position.order)
    count = f"{len(ordered)} mistake{'s' if len(ordered) > 1 else ''}"
    lines = [f"  {mistake.position}: {mistake.text}" for mistake in ordered]
    return SuiteError("\n".join([f"{count} in {title}:", *lines]))
