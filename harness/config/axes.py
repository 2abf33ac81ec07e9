"""The axes a matrix may have: every leaf of the `Axes` schema, by its full or a short name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

from pydantic import ValidationError

from harness.config import name_checks
from harness.config.validation_messages import needed, shown
from harness.errors import SuiteError
from harness.specs import Axes, Spec
from harness.tasks.task import TaskCard

SELECTORS = ("corpus", "backbone", "fold")
"""What a rule of `include` or `exclude` can name besides axes."""

# they decide no outcome, so they tell no two trials apart
_NOT_VARIED = {"training.time_limit_s", "training.checkpoint_s"}

_CHECKS: dict[str, Callable[[str, TaskCard], str]] = {
    "head.pooling": lambda name, _: name_checks.pooling(name),
    "loss": name_checks.loss,
    "training.early_stopping.metric": name_checks.selecting_metric,
}


def _leaves(schema: type[Spec], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in schema.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Spec):
            yield from _leaves(kind, (*above, name))
        else:
            yield (*above, name)


def _short_names(axes: dict[str, tuple[str, ...]]) -> dict[str, str]:
    taken = {*SELECTORS, *Axes.model_fields}
    endings = [
        (".".join(path[start:]), axis) for axis, path in axes.items() for start in range(len(path))
    ]
    uses = Counter(ending for ending, _ in endings)
    return {
        ending: axis
        for ending, axis in endings
        if ending == axis or (uses[ending] == 1 and ending not in taken)
    }


_LEAVES = {".".join(path): path for path in _leaves(Axes)}

AXES = {axis: path for axis, path in _LEAVES.items() if axis not in _NOT_VARIED}
"""Full name -> its path in the schema."""

AXIS_NAMES = _short_names(AXES)
"""Every name an axis may be called by -> its full name."""


def short_name(axis: str) -> str:
    """The shortest name of an axis.

    >>> short_name("head.pooling"), short_name("training.learning_rate.head")
    ('pooling', 'learning_rate.head')
    """
    return min((name for name, full in AXIS_NAMES.items() if full == axis), key=len, default=axis)


def axis_value(axis: str, value: Any, task: TaskCard) -> Any:
    """The value as the schema types it, a pooling by its canonical name.

    >>> from harness.tasks import TASKS
    >>> axis_value("training.learning_rate.head", "1e-3", TASKS["classification"])
    0.001

    Raises:
        SuiteError: the axis cannot have this value, for a suite of this task; the message says
            what it needs.
    """
    try:
        typed = flat(Axes.model_validate(nested({axis: value})))[axis]
    except ValidationError as error:
        raise SuiteError(f"found {shown(value)}, needs {needed(error)}") from error
    check = _CHECKS.get(axis)
    return check(typed, task) if check else typed


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """Axis values as the tree the schema reads.

    >>> nested({"seed": 2, "training.learning_rate.head": 0.1, "training.epochs": 3})
    {'seed': 2, 'training': {'learning_rate': {'head': 0.1}, 'epochs': 3}}
    """
    tree: dict[str, Any] = {}
    for axis, value in values.items():
        *above, leaf = axis.split(".")
        reduce(lambda branch, step: branch.setdefault(step, {}), above, tree)[leaf] = value
    return tree


def flat(chosen: Axes) -> dict[str, Any]:
    """Every leaf's value by its full name; `nested` turns it back."""
    tree: Any = chosen.model_dump()
    return {
        name: reduce(lambda branch, step: branch[step], path, tree)
        for name, path in _LEAVES.items()
    }
