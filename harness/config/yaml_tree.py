"""A suite's YAML as a tree in which everything knows the place it was written at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from harness.errors import SuiteError

_PLAIN_TAGS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
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
class PlacedMistake:
    """One thing wrong with a suite, at the place where it was written."""

    place: Place
    text: str


@dataclass(frozen=True)
class Located:
    """A value and where it was written; mappings and lists hold further `Located`."""

    value: Any
    place: Place

    def plain(self) -> Any:
        """The value alone, as plain dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value

    def place_of(self, path: KeyPath) -> Place:
        """Where `path` was written, or what of it comes nearest."""
        here = self
        for step in path:
            below = here._below(step)
            if below is None:
                break
            here = below
        return here.place

    def _below(self, step: str | int) -> Located | None:
        below: dict[str | int, Located] = {}
        if isinstance(self.value, dict):
            below = self.value
        elif isinstance(self.value, list):
            below = dict(enumerate(self.value))
        return below.get(step)


def merge(base: Located, child: Located) -> Located:
    """Lay `child` over `base`: mappings merge key by key, anything else replaces.

    A mapping from positions, or from `*` for every one of them, merges into the items of a list.

    >>> here = Place("a.yaml", 1)
    >>> base = Located({"a": Located(1, here), "b": Located(2, here)}, here)
    >>> merge(base, Located({"b": Located(3, here)}, here)).plain()
    {'a': 1, 'b': 3}
    >>> names = Located([Located("one", here), Located("two", here)], here)
    >>> child = Located({"1": Located({"init": Located("random", here)}, here)}, here)
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
    return Located(merged, child.place)


def _names_items(child: Located, count: int) -> bool:
    positions = {"*", *map(str, range(count))}
    return isinstance(child.value, dict) and bool(child.value) and child.value.keys() <= positions


def _merge_items(base: Located, child: Located) -> Located:
    items = list(base.value)
    for index in range(len(items)):
        for key in ("*", str(index)):
            if key in child.value:
                items[index] = merge(_named(items[index], child.value[key]), child.value[key])
    return Located(items, base.place)


def _named(item: Located, child: Located) -> Located:
    """A plain name as the mapping it stands for, if a mapping is to be laid over it."""
    if isinstance(child.value, dict) and isinstance(item.value, str):
        return Located({"name": item}, item.place)
    return item


def read_yaml(text: str, source: str) -> tuple[Located, list[PlacedMistake]]:
    """Read YAML safely: plain data only, and every key once.

    Raises:
        SuiteError: it is not YAML; the message gives line and column.
    """
    # a SafeLoader makes plain data only, whatever tags the file holds
    loader = yaml.SafeLoader(text)
    mistakes: list[PlacedMistake] = []
    try:
        node = loader.get_single_node()
        if node is None:
            return Located(None, Place(source, 1)), mistakes
        return _locate(loader, node, source, mistakes, ()), mistakes
    except yaml.MarkedYAMLError as error:
        raise SuiteError(_syntax_message(error, source)) from error
    except (yaml.YAMLError, ValueError) as error:
        raise SuiteError(f"{source}: not readable as YAML: {error}") from error
    finally:
        loader.dispose()


def _locate(
    loader: yaml.SafeLoader,
    node: yaml.Node,
    source: str,
    mistakes: list[PlacedMistake],
    above: tuple[yaml.Node, ...],
) -> Located:
    place = Place(source, node.start_mark.line + 1)
    if any(node is other for other in above):
        raise _refused("an alias that contains itself", node)
    if isinstance(node, yaml.CollectionNode) and node.tag not in _PLAIN_TAGS:
        raise _refused(f"the tag {node.tag}, only plain data is read", node)
    above = (*above, node)
    if isinstance(node, yaml.SequenceNode):
        items = [_locate(loader, item, source, mistakes, above) for item in node.value]
        return Located(items, place)
    if not isinstance(node, yaml.MappingNode):
        return Located(loader.construct_object(node), place)
    mistakes += _repeated_keys(node, source)
    loader.flatten_mapping(node)
    entries: dict[str, Located] = {}
    for key_node, value_node in node.value:
        item = _locate(loader, value_node, source, mistakes, above)
        # an entry is found by its key, also when its value starts on a later line
        key_place = Place(source, key_node.start_mark.line + 1)
        entries[str(key_node.value)] = Located(item.value, key_place)
    return Located(entries, place)


def _refused(problem: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, f"found {problem}", node.start_mark)


def _repeated_keys(node: yaml.MappingNode, source: str) -> Iterator[PlacedMistake]:
    first: dict[str, int] = {}
    for key_node, _ in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        if key in first:
            text = f"key {key!r} is given twice, first on line {first[key]}: keep one"
            yield PlacedMistake(Place(source, line), text)
        first.setdefault(key, line)


def _syntax_message(error: yaml.MarkedYAMLError, source: str) -> str:
    mark = error.problem_mark or error.context_mark
    where = f":{mark.line + 1}, column {mark.column + 1}" if mark else ""
    problem = ", ".join(part for part in (error.context, error.problem) if part)
    return f"{source}{where}: not readable as YAML: {problem}"


def all_mistakes(title: str, mistakes: Sequence[PlacedMistake]) -> SuiteError:
    """One error that lists every mistake, in the order of their lines."""
    ordered = sorted(dict.fromkeys(mistakes), key=lambda mistake: mistake.place.order)
    count = f"{len(ordered)} mistake{'s' if len(ordered) > 1 else ''}"
    lines = [f"  {mistake.place}: {mistake.text}" for mistake in ordered]
    return SuiteError("\n".join([f"{count} in {title}:", *lines]))
