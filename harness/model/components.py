"""Names of the poolings and losses. Plain dicts, so a suite is checked without loading torch.

Each name maps to the function or class that makes it, as "module:attribute", and a line about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from harness.errors import UserError, choices


@dataclass(frozen=True)
class Component:
    """A pooling: where it is made, and what it is."""

    target: str
    summary: str
    version: int = 1
    """Raised when its numbers change."""

    def load(self) -> Any:
        """Import the module and give back the function or class."""
        module, attribute = self.target.split(":")
        return getattr(import_module(module), attribute)


@dataclass(frozen=True, kw_only=True)
class LossComponent(Component):
    """A loss, and the task that it fits."""

    task: str


POOLINGS = {
    "attentive_statistics": Component(
        "harness.model.pooling:AttentiveStatisticsPooling",
        "attention-weighted mean and standard deviation (Okabe et al. 2018), 2·D wide",
        version=2,
    ),
    "mean": Component("harness.model.pooling:MeanPooling", "mean over the real frames, D wide"),
    "statistics": Component(
        "harness.model.pooling:StatisticsPooling",
        "mean and standard deviation over the real frames, 2·D wide",
    ),
}

POOLING_ALIASES = {
    "AttentiveStatisticsPooling": "attentive_statistics",
    "MeanPooling": "mean",
    "StatisticsPooling": "statistics",
}

LOSSES = {
    "cross_entropy": LossComponent(
        "harness.model.losses:CrossEntropy", "plain cross-entropy", task="classification"
    ),
    "weighted_cross_entropy": LossComponent(
        "harness.model.losses:WeightedCrossEntropy",
        "cross-entropy weighted by N / (C · n_c) of the train split",
        task="classification",
    ),
    "dr": LossComponent(
        "harness.model.losses:DistributionalRanking",
        "distributional ranking (Qian et al. 2020) over the batch's sigmoid probabilities",
        task="classification",
    ),
}


def losses_of(task: str) -> tuple[str, ...]:
    """Names of the losses that fit a task."""
    return tuple(name for name, loss in LOSSES.items() if loss.task == task)


def pooling_name(name: str) -> str:
    """The canonical name of a pooling, which may be given by its old class name.

    >>> pooling_name("AttentiveStatisticsPooling")
    'attentive_statistics'
    """
    canonical = POOLING_ALIASES.get(name, name)
    if canonical not in POOLINGS:
        raise UserError(f"unknown pooling {name!r}: {choices(name, POOLINGS)}")
    return canonical
