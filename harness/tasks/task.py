"""The contract of a task: all that knows what is predicted, and how it is scored. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.data.utterances import Corpus, Utterance
from harness.tasks.scores import SplitScores

if TYPE_CHECKING:
    from torch import Tensor, nn

Floats = NDArray[np.float64]
Targets = tuple[int | float, ...]
"""One number an utterance, as the losses of the task take it."""


@dataclass(frozen=True)
class FittedProbe:
    """A classifier or regression without a training loop, fitted with one setting."""

    setting: str
    """For people, such as "C = 0.01"."""
    values: Callable[[Floats], Floats]
    """From vectors (N, P) to what a network would give, (N, W)."""


FitProbe = Callable[[Floats, NDArray[np.int64], Floats], Iterable[FittedProbe]]
"""From standardised vectors (N, P), targets (N,) and what each output's utterances count, (W,), to
a probe for each of its settings."""


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
    """Whether the jackknife over speakers gives it an interval."""


@dataclass(frozen=True)
class SufficientStatistics:
    """What adds up over utterances, so that scores without a speaker need not be computed anew."""

    of_utterances: Callable[[pd.DataFrame], Floats]
    """From the predictions of N utterances to S numbers each, (N, S)."""
    scores: Callable[[Floats], dict[str, Floats]]
    """From sums of them over utterances, (R, S), to the metrics that have intervals, (R,) each."""


class Task(Protocol):
    """What a task's module defines. The module loads without torch.

    `outputs` are the names of the network's output values, in their order: the head is as wide.
    """

    sufficient_statistics: SufficientStatistics | None
    """None if the task's scores have no intervals."""

    def outputs(self, corpus: Corpus) -> tuple[str, ...]:
        """The outputs of a network that is trained on a corpus.

        Raises:
            CorpusError: the corpus has nothing to predict.
        """

    def shared_outputs(self, outputs: Sequence[str], corpus: Corpus) -> tuple[str, ...]:
        """Which of a trained network's outputs are scored on a corpus.

        Raises:
            UserError: the corpus has targets that the network does not know.
        """

    def encode(self, utterances: Sequence[Utterance], outputs: Sequence[str]) -> Targets:
        """The targets of utterances.

        Raises:
            CorpusError: an utterance has no target.
        """

    def make_loss(self, name: str, train: Targets, outputs: Sequence[str]) -> nn.Module:
        """A loss by its name: outputs (B, W) and targets (B,) to a scalar.

        Args:
            name: in `harness.model.components.LOSSES`
            train: the targets of the train split
            outputs: their names
        """

    def prediction_columns(
        self, utterances: Sequence[Utterance], values: Tensor, outputs: Sequence[str]
    ) -> Mapping[str, Sequence[Any] | Floats]:
        """What a predictions frame says of each utterance: its target, then what was predicted.

        Shape:
            values: (N, W), as the network gives them, on the CPU
        """

    def score(
        self, predictions: pd.DataFrame, train: Targets = (), loss: float | None = None
    ) -> SplitScores:
        """All scores of the predictions of one split.

        Args:
            predictions: with the columns of `prediction_columns`
            train: the targets of the train split, if scores depend on them
            loss: noted as it is

        Raises:
            ValueError: there are no utterances, or a prediction is not a number.
        """

    def baselines(
        self, train: Targets, test: Targets, outputs: Sequence[str]
    ) -> Mapping[str, SplitScores]:
        """What predicting without looking scores on the test split, by the card's names.

        Raises:
            ValueError: a split is empty.
        """


@dataclass(frozen=True)
class TaskCard:
    """What is known of a task before its module is loaded."""

    name: str
    module: str
    """Module that implements `Task`."""
    metrics: tuple[Metric, ...]
    headline: str
    """The metric that figures and verdicts show."""
    baselines: tuple[str, ...]
    """What stands in tables beside what was learned."""
    scores_note: str
    """What a reader of the tables must know of the metrics."""
    baselines_note: str
    """What the baselines are."""
    default_loss: str
    """Of the losses that fit it, the one where a suite names none."""
    details: tuple[Metric, ...] = ()
    """Scores that only the table of trials shows."""
    probes: Mapping[str, str] = field(default_factory=dict)
    """Kinds of head without a training loop, as "module:function": see `probe`."""
    version: int = 1
    """Raised when its numbers change."""
    same_since: Callable[[Mapping[str, SplitScores]], bool] | None = None
    """Whether scores by split, which an earlier version gave, are what this one gives as well."""

    def load(self) -> Task:
        """Import the module."""
        return cast(Task, import_module(self.module))

    def probe(self, kind: str) -> FitProbe:
        """What fits a probe of that kind.

        Raises:
            KeyError: it has none.
        """
        module, function = self.probes[kind].split(":")
        return cast("FitProbe", getattr(import_module(module), function))

    def metric(self, name: str) -> Metric:
        """The metric of that name.

        Raises:
            KeyError: it has none.
        """
        return {metric.name: metric for metric in self.metrics}[name]

    @property
    def selecting(self) -> tuple[str, ...]:
        """Names of the metrics that may select an epoch: the higher, the better."""
        return tuple(metric.name for metric in self.metrics if metric.higher_is_better)


def metric_names(metrics: Sequence[Metric]) -> tuple[str, ...]:
    """Their names, in order."""
    return tuple(metric.name for metric in metrics)


Tasks = Mapping[str, TaskCard]
