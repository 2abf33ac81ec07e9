"""Settings among which dev chooses: `choose:` in a suite, and the candidates of a trial.

    training: {learning_rate: {head: {choose: [3.0e-4, 1.0e-3, 3.0e-3]}}}

Any setting of `head` and `training` may have such a list. A trial learns with each combination of
them, and the one that is best on dev is scored on test.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from harness.config.axes import AXES, AXIS_NAMES, axis_value, flat, nested, short_name
from harness.config.validation_messages import shown
from harness.config.yaml_tree import KeyPath, Mistake
from harness.errors import SuiteError
from harness.specs import Trial
from harness.tasks.task import TaskCard

CHOOSE = "choose"

_SAME_FOR_ALL = {
    "training.precision",
    "training.frozen_mode",
    "training.early_stopping.metric",
}
"""What candidates must have in common, or their frames or dev scores could not be compared."""

Choices = dict[str, tuple[Any, ...]]
"""Axis by its full name -> the values among which dev chooses."""


def lift_choices(data: dict[str, Any], task: TaskCard) -> tuple[dict[str, Any], list[Mistake]]:
    """A suite's tree with the first value in place of every `choose`, and all of them in one place.

    Where a list is mistaken, that is told, and its first value still stands for it.
    """
    mistakes: list[Mistake] = []
    choices: Choices = {}
    lifted = {key: value for key, value in data.items() if key != CHOOSE}
    if CHOOSE in data:
        text = "choose: write it at the setting, as learning_rate: {head: {choose: [1e-3, 3e-3]}}"
        mistakes.append(Mistake((CHOOSE,), text))
    for section in ("head", "training"):
        if section in data:
            lifted[section] = _lifted(data[section], (section,), choices, mistakes, task)
    listed = data.get("matrix")
    for axis in choices.keys() & _listed_axes(listed):
        path = tuple(axis.split("."))
        mistakes.append(
            Mistake(path, f"{axis}: the matrix lists it as well: leave out one of both")
        )
    return (lifted | {CHOOSE: choices} if choices else lifted), mistakes


def combinations(trial: Trial) -> int:
    """How many candidates a trial has: 1 without choices."""
    return math.prod(map(len, trial.choose.values()))


def candidates(trial: Trial) -> list[tuple[dict[str, Any], Trial]]:
    """What a trial chooses among: the values of its choices, by axis, and the trial with them.

    Without choices that is the trial itself.
    """
    axes = list(trial.choose)
    return [
        (dict(zip(axes, values, strict=True)), _with(trial, dict(zip(axes, values, strict=True))))
        for values in product(*trial.choose.values())
    ]


def _with(trial: Trial, values: dict[str, Any]) -> Trial:
    if not values:
        return trial
    own: dict[str, Any] = {name: getattr(trial, name) for name in Trial.model_fields}
    return Trial(**own | nested(flat(trial) | values) | {CHOOSE: {}})


def _lifted(
    tree: Any, path: KeyPath, choices: Choices, mistakes: list[Mistake], task: TaskCard
) -> Any:
    if not isinstance(tree, dict):
        return tree
    if CHOOSE not in tree:
        return {
            key: _lifted(item, (*path, key), choices, mistakes, task) for key, item in tree.items()
        }
    axis, values = ".".join(map(str, path)), tree[CHOOSE]
    found = list(_mistakes_of(axis, tree, values, task))
    mistakes += [Mistake((*path, CHOOSE, *place), f"{axis}: {text}") for place, text in found]
    if not found:
        choices[axis] = tuple(axis_value(axis, value, task) for value in values)
    usable = isinstance(values, list) and values and AXES.get(axis)
    return values[0] if usable else None


def _mistakes_of(
    axis: str, tree: dict[str, Any], values: Any, task: TaskCard
) -> Iterator[tuple[KeyPath, str]]:
    if axis not in AXES or axis in _SAME_FOR_ALL:
        yield (), "cannot be chosen on dev: all candidates must have it in common"
    elif len(tree) > 1:
        yield (), f"choose stands alone, found also {', '.join(k for k in tree if k != CHOOSE)}"
    elif not isinstance(values, list) or len(values) < 2:
        yield (), f"choose: found {shown(values)}, needs a list of at least two values"
    else:
        typed = []
        for index, value in enumerate(values):
            try:
                typed.append(axis_value(axis, value, task))
            except SuiteError as error:
                yield (index,), f"choose: {error}"
        if len(typed) == len(values) and len({repr(each) for each in typed}) < len(typed):
            yield (), "choose: a value is listed twice"


def _listed_axes(section: Any) -> set[Any]:
    written = section if isinstance(section, dict) else {}
    return {AXIS_NAMES.get(name, name) for name in written}


def chosen_text(values: Mapping[str, Any]) -> str:
    """The values of choices, for people.

    >>> chosen_text({"training.learning_rate.head": 0.001, "head.dropout": 0.2})
    'learning_rate.head 0.001, dropout 0.2'
    """
    return ", ".join(
        f"{short_name(axis)} {value:g}"
        if isinstance(value, float)
        else f"{short_name(axis)} {value}"
        for axis, value in values.items()
    )
