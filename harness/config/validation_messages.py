"""What the schema refuses, said in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from harness.config.yaml_tree import KeyPath, Mistake
from harness.errors import choices
from harness.specs import Spec

LONGEST = 80
"""Characters of a value that a message shows."""

_NEEDS = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a mapping (key: value)",
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number of at least {ge:g}",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "less_than": "a number below {lt:g}",
    "less_than_equal": "a number of at most {le:,}",
    "literal_error": "{expected}",
    "model_type": "a mapping (key: value)",
    "string_pattern_mismatch": "letters, digits, '.', '_' and '-' only",
    "string_too_long": "at most {max_length} characters",
    "string_type": "text (put it in quotes)",
    "too_short": "at least {min_length} item",
    "tuple_type": "a list, such as [a, b]",
}
"""Kind of pydantic error -> what the value should have been."""


def explain(error: ValidationError, data: Any, schema: type[Spec]) -> list[Mistake]:
    """Turn pydantic's errors about `data` into mistakes, one for each place in it.

    A value that may be of several kinds gives one mistake that names them all.
    """
    grouped: dict[KeyPath, list[ErrorDetails]] = {}
    mistakes: list[Mistake] = []
    for detail in error.errors(include_url=False):
        if detail["type"] == "missing":
            mistakes.append(_missing(detail["loc"]))
        elif detail["type"] == "extra_forbidden":
            mistakes.append(_unknown_key(detail["loc"], schema))
        elif not _is_echo(detail):
            grouped.setdefault(_known_part(detail["loc"], data), []).append(detail)
    return mistakes + [Mistake(path, _unfit(path, found)) for path, found in grouped.items()]


def needed(error: ValidationError) -> str:
    """What a single value should have been, for a message that names it itself."""
    return _joined_needs(error.errors(include_url=False))


def shown(value: Any) -> str:
    """A value as the user knows it from YAML.

    >>> shown(None), shown(True), shown("a"), shown([1])
    ('null', 'true', "'a'", 'a list')
    """
    if isinstance(value, dict | list | tuple):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    text = repr(value) if isinstance(value, str | int | float) else str(value)
    return clipped(text)


def clipped(text: str) -> str:
    """As much of a text as a message shows."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def dotted(path: Iterable[str | int]) -> str:
    """A path as users write it.

    >>> dotted(("training", "learning_rate", "head"))
    'training.learning_rate.head'
    """
    return ".".join(map(str, path))


def _missing(path: KeyPath) -> Mistake:
    where = f" in {dotted(path[:-1])}" if path[:-1] else ""
    return Mistake(path[:-1], f"key {str(path[-1])!r} is missing{where}")


def _unknown_key(path: KeyPath, schema: type[Spec]) -> Mistake:
    where = f" in {dotted(path[:-1])}" if path[:-1] else ""
    allowed = sorted(_schema_at(path[:-1], schema).model_fields)
    if not path[:-1]:
        allowed.append("extends")
    return Mistake(path, f"unknown key {str(path[-1])!r}{where}: {choices(str(path[-1]), allowed)}")


def _schema_at(path: KeyPath, schema: type[Spec]) -> type[Spec]:
    for step in path:
        if isinstance(step, str) and step in schema.model_fields:
            schema = _spec_within(schema.model_fields[step].annotation) or schema
    return schema


def _spec_within(annotation: Any) -> type[Spec] | None:
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return annotation
    found = (_spec_within(part) for part in get_args(annotation))
    return next((spec for spec in found if spec is not None), None)


def _is_echo(detail: ErrorDetails) -> bool:
    # pydantic also counts a list as too short when its items were refused one by one
    return detail["type"] == "too_short" and bool(detail["input"])


def _known_part(path: KeyPath, data: Any) -> KeyPath:
    # beyond the data, pydantic names the branch of a union it tried
    known: list[str | int] = []
    for step in path:
        below = dict(enumerate(data)) if isinstance(data, list | tuple) else data
        if not isinstance(below, dict) or step not in below:
            break
        data = below[step]
        known.append(step)
    return tuple(known)


def _unfit(path: KeyPath, details: Sequence[ErrorDetails]) -> str:
    found = details[0]["input"]
    if details[0]["type"] == "too_short":
        return f"{dotted(path)}: the list is empty, it needs at least one item"
    return f"{dotted(path)}: found {shown(found)}, needs {_joined_needs(details)}{_near(details)}"


def _joined_needs(details: Sequence[ErrorDetails]) -> str:
    return " or ".join(dict.fromkeys(map(_need, details)))


def _need(detail: ErrorDetails) -> str:
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"]).removeprefix("needs ")
    if detail["type"] not in _NEEDS:
        return f"something else ({detail['msg']})"
    return _NEEDS[detail["type"]].format(**detail.get("ctx", {}))


def _near(details: Sequence[ErrorDetails]) -> str:
    quoted = " ".join(_need(detail) for detail in details if detail["type"] == "literal_error")
    near = get_close_matches(str(details[0]["input"]), re.findall(r"'([^']*)'", quoted), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
