"""When to stop, and which epoch's model to keep; judged on dev alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from harness.specs import EarlyStoppingSpec


@dataclass(frozen=True)
class StoppingDecision:
    """What one epoch's dev scores mean."""

    average: float
    """Moving average of the metric."""
    is_best: bool
    stop: bool


@dataclass
class EarlyStopping:
    """Keeps the epoch with the best moving average, and can stop when dev loss runs away.

    Averages are over `window` epochs, or over all if there are fewer; those over fewer do not
    compete, or one lucky early epoch would beat a steady rise. With a `loss_factor`, training stops
    once the average of dev loss passes that many times its minimum.

    The rule "classic" takes the average over what there is, from the first epoch on, and compares
    the dev loss of single epochs.

    Args:
        spec: settings
        epochs: how many there are at most

    >>> stopping = EarlyStopping(EarlyStoppingSpec(window=2, loss_factor=1.5), epochs=4)
    >>> [stopping.update(metric, 1.0).average for metric in (0.9, 0.4, 0.6)]
    [0.9, 0.65, 0.5]
    >>> stopping.update(0.1, 3.0).stop
    True
    """

    spec: EarlyStoppingSpec
    epochs: int
    _metrics: list[float] = field(default_factory=list)
    _losses: list[float] = field(default_factory=list)
    _best_average: float = float("-inf")
    _lowest_loss: float = float("inf")

    def update(self, metric: float, loss: float) -> StoppingDecision:
        """Take in one epoch's dev metric and dev loss."""
        self._metrics.append(metric)
        self._losses.append(loss)
        average = fmean(self._metrics[-self.spec.window :])
        classic = self.spec.rule == "classic"
        if not classic and len(self._metrics) < min(self.spec.window, self.epochs):
            return StoppingDecision(average, is_best=False, stop=False)
        is_best = average > self._best_average
        self._best_average = max(average, self._best_average)
        seen = loss if classic else fmean(self._losses[-self.spec.window :])
        self._lowest_loss = min(seen, self._lowest_loss)
        factor = self.spec.loss_factor
        stop = factor is not None and seen > factor * self._lowest_loss
        return StoppingDecision(average, is_best, stop)

    def state_dict(self) -> dict[str, Any]:
        """What `update` has taken in, as plain values."""
        return {
            "metrics": list(self._metrics),
            "losses": list(self._losses),
            "best_average": self._best_average,
            "lowest_loss": self._lowest_loss,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self._metrics = list(state["metrics"])
        self._losses = list(state["losses"])
        self._best_average = state["best_average"]
        self._lowest_loss = state["lowest_loss"]
