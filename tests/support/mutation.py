"""A module of the program with one thing changed, for as long as a test looks."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any

CONSTANTS = (str, int, float, tuple, dict, list, re.Pattern)


@contextmanager
def mutated(module_name: str, old: str, new: str) -> Iterator[None]:
    """Let functions, methods and constants of a module be as if `old` were `new` in its source.

    Functions keep their identity, so that whoever imported them sees the change.

    Raises:
        ValueError: `old` does not occur exactly once.
    """
    module = import_module(module_name)
    path = Path(str(module.__file__))
    source = path.read_text(encoding="utf-8")
    if source.count(old) != 1:
        raise ValueError(f"{module_name}: {old!r} occurs {source.count(old)} times")
    changed = {
        "__name__": module.__name__,
        "__file__": str(path),
        "__package__": module.__package__,
    }
    exec(compile(source.replace(old, new), str(path), "exec"), changed)  # noqa: S102
    with ExitStack() as undo:
        for name, value in changed.items():
            if not name.startswith("__") and name in vars(module):
                _swap(module, vars(module), name, value, module_name, undo)
        yield


def _swap(
    owner: Any, own: Mapping[str, Any], name: str, value: Any, module_name: str, undo: ExitStack
) -> None:
    old = own[name]
    if inspect.isclass(old) and old.__module__ == module_name:
        for inner, item in vars(value).items():
            if inner in vars(old) and (not inner.startswith("__") or inner == "__init__"):
                _swap(old, vars(old), inner, item, module_name, undo)
    elif _function(old) is not None:
        _swap_code(old, value, module_name, undo)
    elif isinstance(old, CONSTANTS) and repr(old) != repr(value):
        undo.callback(setattr, owner, name, old)
        setattr(owner, name, value)


def _swap_code(old: Any, new: Any, module_name: str, undo: ExitStack) -> None:
    function, other = _function(old), _function(new)
    if function is None or other is None or function.__module__ != module_name:
        return
    if function.__code__.co_freevars != other.__code__.co_freevars:
        return
    clear: Callable[[], None] = getattr(old, "cache_clear", lambda: None)
    undo.callback(clear)
    for attribute in ("__code__", "__defaults__", "__kwdefaults__"):
        undo.callback(setattr, function, attribute, getattr(function, attribute))
        setattr(function, attribute, getattr(other, attribute))
    clear()


def _function(value: Any) -> FunctionType | None:
    """The function behind a decorator, a method or a property."""
    if isinstance(value, property):
        value = value.fget
    if isinstance(value, cached_property):
        value = value.func
    if isinstance(value, staticmethod | classmethod):
        value = value.__func__
    found = inspect.unwrap(value) if callable(value) else None
    return found if isinstance(found, FunctionType) else None
