"""Reads YAML that may be anything: plain data within bounds, or one clear error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import yaml

from harness.config.yaml_tree import LocatedMistake, LocatedValue, SourcePosition
from harness.errors import SuiteError

MOST_BYTES = 1_000_000
MOST_VALUES = 100_000
"""In a file, those that aliases repeat counted each time."""
MOST_MERGED = 1_000
"""Keys that one mapping may take over from others by `<<`."""
DEEPEST = 30

_TAG = "tag:yaml.org,2002:"
_COLLECTIONS = {f"{_TAG}map", f"{_TAG}seq"}
_SCALARS = {f"{_TAG}{name}" for name in ("str", "int", "float", "bool", "null", "timestamp")}
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_SIXTIES = re.compile(r"[-+]?\d[\d_]*(:[0-5]?\d)+(\.[\d_]*)?")
_NO_VALUE = re.compile(r"None|NONE|NaN|nan|NAN|undefined|nil")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def read_yaml(text: str, source: str) -> tuple[LocatedValue, list[LocatedMistake]]:
    """Read YAML safely: plain data only, every key once, and within bounds.

    Raises:
        SuiteError: it is not YAML, or too large; the message gives line and column.
    """
    if len(text) > MOST_BYTES:
        raise SuiteError(f"{source}: {len(text):,} characters, a suite has at most {MOST_BYTES:,}")
    try:
        _check_depth(text)
        # a SafeLoader makes plain data only, whatever tags the file holds
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return LocatedValue(None, SourcePosition(source, 1)), []
            reading = _Reading(loader, source)
            return reading.value_of(node, ()), reading.mistakes
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise SuiteError(_syntax_message(error, source)) from error
    except (yaml.YAMLError, ValueError) as error:
        told = _UNPRINTABLE.sub("?", " ".join(str(error).split()))
        raise SuiteError(f"{source}: not readable as YAML: {told}") from error


class _Loader(yaml.SafeLoader):
    """Refuses mappings that merge others without end."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        merged = [value for key, value in node.value if key.tag == f"{_TAG}merge"]
        lists = [value.value for value in merged if isinstance(value, yaml.SequenceNode)]
        if sum(map(len, lists)) > MOST_MERGED:
            raise _refused(f"more than {MOST_MERGED} mappings that are merged into one", node)
        super().flatten_mapping(node)
        if merged and len(node.value) > MOST_MERGED:
            raise _refused(f"a mapping of more than {MOST_MERGED} keys that were merged", node)


def _check_depth(text: str) -> None:
    """Before nodes are made, which takes a call for each level."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            mark = cast("yaml.Mark", event.start_mark)
            raise yaml.composer.ComposerError(None, None, f"found more than {DEEPEST} levels", mark)


@dataclass
class _Reading:
    """Of one file: what is wrong with it, and how much of it there is."""

    loader: yaml.SafeLoader
    source: str
    mistakes: list[LocatedMistake] = field(default_factory=list)
    values: int = 0

    def value_of(self, node: yaml.Node, above: tuple[yaml.Node, ...]) -> LocatedValue:
        """A node and all that is below it."""
        self.values += 1
        if self.values > MOST_VALUES:
            raise _refused(f"more than {MOST_VALUES:,} values, aliases counted each time", node)
        if any(node is other for other in above):
            raise _refused("an alias that contains itself", node)
        if isinstance(node, yaml.CollectionNode) and node.tag not in _COLLECTIONS:
            raise _refused(f"the tag {_plain(node.tag)}, only plain data is read", node)
        if isinstance(node, yaml.SequenceNode):
            items = [self.value_of(item, (*above, node)) for item in node.value]
            return LocatedValue(items, self._position(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, (*above, node))
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, above: tuple[yaml.Node, ...]) -> LocatedValue:
        self.mistakes += _repeated_keys(node, self.source)
        self.loader.flatten_mapping(node)
        entries: dict[str, LocatedValue] = {}
        for key_node, value_node in node.value:
            item = self.value_of(value_node, above)
            # an entry is found by its key, also when its value starts on a later line
            entries[_key(key_node)] = LocatedValue(item.value, self._position(key_node))
        return LocatedValue(entries, self._position(node))

    def _scalar(self, node: yaml.Node) -> LocatedValue:
        if node.tag not in _SCALARS:
            raise _refused(f"the tag {_plain(node.tag)}, only plain data is read", node)
        if _UNPRINTABLE.search(node.value):
            raise _refused(f"characters that cannot be shown in {_plain(node.value)!r}", node)
        try:
            value = self.loader.construct_object(node)
        except (ValueError, LookupError, OverflowError, AttributeError) as error:
            kind = node.tag.removeprefix(_TAG)
            raise _refused(f"{node.value[:40]!r}, which is no {kind}", node) from error
        if surprise := _surprise(node, value):
            self.mistakes.append(LocatedMistake(self._position(node), surprise))
        return LocatedValue(value, self._position(node))

    def _position(self, node: yaml.Node) -> SourcePosition:
        return SourcePosition(self.source, node.start_mark.line + 1)


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or _UNPRINTABLE.search(node.value):
        raise _refused("a key that is not a plain word", node)
    return str(node.value)


def _plain(text: str) -> str:
    return _UNPRINTABLE.sub("?", text)[:40]


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
        key, line = _key(key_node), key_node.start_mark.line + 1
        if key in first:
            text = f"key {key!r} is given twice, first on line {first[key]}: keep one"
            yield LocatedMistake(SourcePosition(source, line), text)
        first.setdefault(key, line)


def _syntax_message(error: yaml.MarkedYAMLError, source: str) -> str:
    mark = error.problem_mark or error.context_mark
    where = f":{mark.line + 1}, column {mark.column + 1}" if mark else ""
    problem = _UNPRINTABLE.sub("?", ", ".join(p for p in (error.context, error.problem) if p))
    return f"{source}{where}: not readable as YAML: {problem}"
