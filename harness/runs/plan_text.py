"""What a plan holds, in a few lines or trial by trial."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tabulate import tabulate

from harness.config.axes import AXES, flat, short_name
from harness.config.trial_names import TrialNames
from harness.data.readers.audio_files import shortened
from harness.runs.planning import Plan
from harness.specs import Trial

_ALWAYS = {"finetune_layers": "finetune_layers", "loss": "losses", "seed": "seeds"}
"""Axes that are told even if they do not vary, and what their values are called."""

AxisLine = tuple[str, int, str]
"""An axis, how many values it has, and which."""


def plan_list(plan: Plan) -> list[str]:
    """A line for each trial that is selected, or for each cost of a suite that trains nothing."""
    names = TrialNames.among(plan.trials)
    trials = [f"{trial.trial_id}  {names.of(trial)}" for trial in plan.selected]
    return trials or [f"cost of {cost.describe()}" for cost in plan.costs]


def plan_summary(plan: Plan) -> list[str]:
    """A line for each axis of what is selected: how many values it has, and which."""
    if plan.selected:
        lines = list(_trial_axes(plan.selected))
    else:
        lines = [
            _axis("backbones", (cost.backbone.name for cost in plan.costs)),
            _axis("finetune_layers", (cost.finetune_layers for cost in plan.costs)),
        ]
    return tabulate(lines, tablefmt="plain", disable_numparse=True, colalign=_SIDES).splitlines()


_SIDES = ("left", "right", "left")


def _trial_axes(trials: Sequence[Trial]) -> Iterator[AxisLine]:
    """The axes that a matrix always has, the others where they vary, and what dev chooses."""
    # trials of a matrix share their parts, and so few are left to be looked at
    unlike = {(id(trial.head), id(trial.training)): trial for trial in trials}
    settings = [flat(trial) for trial in unlike.values()]
    choices = {axis: values for trial in trials for axis, values in trial.choose.items()}
    yield _axis("corpora", (trial.corpus.name for trial in trials))
    yield _folds(trials)
    yield _axis("backbones", (trial.backbone.name for trial in trials))
    for axis, name in _ALWAYS.items():
        yield _axis(name, (getattr(trial, axis) for trial in trials))
    for axis in AXES:
        name, count, values = _axis(short_name(axis), (values[axis] for values in settings))
        if count > 1 and axis not in _ALWAYS and axis not in choices:
            yield name, count, values
    for axis, choice in choices.items():
        yield _axis(f"{short_name(axis)}, chosen on dev", choice)


def _axis(name: str, values: Iterable[Any]) -> AxisLine:
    unlike = list(dict.fromkeys(values))
    return name, len(unlike), shortened(unlike)


def _folds(trials: Sequence[Trial]) -> AxisLine:
    """All that are cut, and those of each corpus where they are not the same."""
    folds = {trial.corpus.name: dict[int, None]() for trial in trials}
    for trial in trials:
        folds[trial.corpus.name][trial.fold] = None
    if len({tuple(numbers) for numbers in folds.values()}) == 1:
        return _axis("folds", next(iter(folds.values())))
    texts = (f"{len(numbers)} of {corpus}" for corpus, numbers in folds.items())
    return "folds", sum(map(len, folds.values())), shortened(texts)
