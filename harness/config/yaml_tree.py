"""A suite's YAML as a tree in which everything knows the place it was written at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from harness.errors import SuiteError

_PLAIN_TAGS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_SIXTIES = re.compile(r"[-+]?\d[\d_]*(:[0-5]?\d)+(\.[\d_]*)?")
_NO_VALUE = re.compile(r"None|NONE|NaN|nan|NAN|undefined|nil")

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


def read_yaml(text: str, source: str) -> tuple[LocatedValue, list[LocatedMistake]]:
    """Read YAML safely: plain data only, and every key once.

    Raises:
        SuiteError: it is not YAML; the message gives line and column.
    """
    # a SafeLoader makes plain data only, whatever tags the file holds
    loader = yaml.SafeLoader(text)
    mistakes: list[LocatedMistake] = []
    try:
        node = loader.get_single_node()
        if node is None:
            return LocatedValue(None, SourcePosition(source, 1)), mistakes
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
    mistakes: list[LocatedMistake],
    above: tuple[yaml.Node, ...],
) -> LocatedValue:
    position = SourcePosition(source, node.start_mark.line + 1)
    if any(node is other for other in above):
        raise _refused("an alias that contains itself", node)
    if isinstance(node, yaml.CollectionNode) and node.tag not in _PLAIN_TAGS:
        raise _refused(f"the tag {node.tag}, only plain data is read", node)
    above = (*above, node)
    if isinstance(node, yaml.SequenceNode):
        items = [_locate(loader, item, source, mistakes, above) for item in node.value]
        return LocatedValue(items, position)
    if not isinstance(node, yaml.MappingNode):
        value = loader.construct_object(node)
        if surprise := _surprise(node, value):
            mistakes.append(LocatedMistake(position, surprise))
        return LocatedValue(value, position)
    mistakes += _repeated_keys(node, source)
    loader.flatten_mapping(node)
    entries: dict[str, LocatedValue] = {}
    for key_node, value_node in node.value:
        item = _locate(loader, value_node, source, mistakes, above)
        # an entry is found by its key, also when its value starts on a later line
        key_position = SourcePosition(source, key_node.start_mark.line + 1)
        entries[str(key_node.value)] = LocatedValue(item.value, key_position)
    return LocatedValue(entries, position)


def _surprise(node: yaml.Node, value: Any) -> str | None:
    """What YAML 1.1 makes of an unquoted word that its writer will not have meant, if so."""
    word = str(node.value)
    if getattr(node, "style", None) is not None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        if _OCTAL.fullmatch(word):
            digits = word.replace("_", "").lstrip("+-0") or "0"
            plain = f"-{digits}" if word.startswith("-") else digits
            return f"{word} is read as an octal number, {value}: write {plain}, or '{word}' as text"
        if _SIXTIES.fullmatch(word):
            return f"{word} is read as a number to the base 60, {value}: put it in quotes as text"
    if isinstance(value, str) and _NO_VALUE.fullmatch(word):
        return f"{word} is a text here: write null for no value, or '{word}' if it is meant"
    return None


def _refused(problem: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, f"found {problem}", node.start_mark)


def _repeated_keys(node: yaml.MappingNode, source: str) -> Iterator[LocatedMistake]:
    first: dict[str, int] = {}
    for key_node, _ in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        if key in first:
            text = f"key {key!r} is given twice, first on line {first[key]}: keep one"
            yield LocatedMistake(SourcePosition(source, line), text)
        first.setdefault(key, line)


def _syntax_message(error: yaml.MarkedYAMLError, source: str) -> str:
    mark = error.problem_mark or error.context_mark
    where = f":{mark.line + 1}, column {mark.column + 1}" if mark else ""
    problem = ", ".join(part for part in (error.context, error.problem) if part)
    return f"{source}{where}: not readable as YAML: {problem}"


def all_mistakes(title: str, mistakes: Sequence[LocatedMistake]) -> SuiteError:
    """One error that lists every mistake, in the order of their lines."""
    ordered = sorted(dict.fromkeys(mistakes), key=lambda mistake: mistake.position.order)
    count = f"{len(ordered)} mistake{'s' if len(ordered) > 1 else ''}"
    lines = [f"  {mistake.position}: {mistake.text}" for mistake in ordered]
    return SuiteError("\n".join([f"{count} in {title}:", *lines]))
