"""The contract of a task: all that knows what is predicted, and how it is scored. No torch here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One score of a task, as tables, statistics and early stopping know it."""

    name: str
    """Its field in the scores of a split."""
    title: str
    """Heads its column."""
    share: bool = True
    """Lies in [0, 1] and is shown in per cent."""
    higher_is_better: bool = True
    has_interval: bool = True
    """Whether the bootstrap over speakers gives it an interval."""


@dataclass(frozen=True)
class TaskCard:
    """What is known of a task before anything of it is loaded."""

    name: str
    metrics: tuple[Metric, ...]
    headline: str
    """The metric that figures and verdicts show."""
    losses: tuple[str, ...]
    """Names of the losses that fit it, the default first."""
    version: int = 1
    """Raised when its numbers change."""

    def metric(self, name: str) -> Metric:
        """The metric of that name.

        Raises:
            KeyError: it has none.
        """
        return {metric.name: metric for metric in self.metrics}[name]


def metric_names(metrics: Sequence[Metric]) -> tuple[str, ...]:
    """Their names, in order."""
    return tuple(metric.name for metric in metrics)


Tasks = Mapping[str, TaskCard]
