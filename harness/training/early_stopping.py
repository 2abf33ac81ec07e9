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
    """Keeps the epoch with the best moving average, and stops when dev loss runs away.

    The average is over the last `window` epochs (all of them while there are fewer). Training
    stops once dev loss passes `loss_factor` times its minimum so far.

    >>> stopping = EarlyStopping(EarlyStoppingSpec(window=2, loss_factor=1.5))
    >>> [stopping.update(metric, 1.0).average for metric in (0.2, 0.4, 0.6)]
    [0.2, 0.30000000000000004, 0.5]
    >>> stopping.update(0.1, 1.6).stop
    True
    """

    spec: EarlyStoppingSpec
    _metrics: list[float] = field(default_factory=list)
    _best_average: float = float("-inf")
    _lowest_loss: float = float("inf")

    def update(self, metric: float, loss: float) -> StoppingDecision:
        """Take in one epoch's dev metric and dev loss."""
        self._metrics.append(metric)
        average = fmean(self._metrics[-self.spec.window :])
        is_best = average > self._best_average
        self._best_average = max(average, self._best_average)
        self._lowest_loss = min(loss, self._lowest_loss)
        factor = self.spec.loss_factor
        stop = factor is not None and loss > factor * self._lowest_loss
        return StoppingDecision(average, is_best, stop)

    def state_dict(self) -> dict[str, Any]:
        """What `update` has taken in, as plain values."""
        return {
            "metrics": list(self._metrics),
            "best_average": self._best_average,
            "lowest_loss": self._lowest_loss,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self._metrics = list(state["metrics"])
        self._best_average = state["best_average"]
        self._lowest_loss = state["lowest_loss"]
