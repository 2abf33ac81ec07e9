"""A second task, as small as one can be: the pitch of an utterance, one number.

All that the harness needs to know of it is in this module, in `CARD` and in `LOSS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from harness.data.targets import require_targets
from harness.data.utterances import Corpus, Utterance
from harness.model.components import LOSSES, LossComponent
from harness.tasks.scores import SplitScores
from harness.tasks.task import Floats, Metric, SufficientStatistics, Targets, TaskCard

if TYPE_CHECKING:
    from torch import Tensor, nn

CARD = TaskCard(
    "pitch",
    module="pitch_task",
    metrics=(
        Metric("ccc", "CCC", share=False),
        Metric("mae", "MAE", share=False, higher_is_better=False),
    ),
    headline="ccc",
    baselines=("mean",),
    scores_note="CCC is the concordance correlation coefficient; MAE is in octaves.",
    baselines_note="mean: always the mean of train.",
    default_loss="mse",
)
LOSS = LossComponent("pitch_task:mean_squared_error", "mean squared error", task="pitch")


def mean_squared_error() -> nn.Module:
    from torch import nn

    class MeanSquaredError(nn.Module):
        def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
            return (outputs[:, 0] - targets).square().mean()

    return MeanSquaredError()


def outputs(corpus: Corpus) -> tuple[str, ...]:
    return ("pitch",)


def shared_outputs(outputs: Sequence[str], corpus: Corpus) -> tuple[str, ...]:
    return tuple(outputs)


def encode(utterances: Sequence[Utterance], outputs: Sequence[str]) -> Targets:
    require_targets(utterances, "pitch")
    return tuple(float(utterance.target or 0) for utterance in utterances)


def make_loss(name: str, train: Targets, outputs: Sequence[str]) -> nn.Module:
    loss: nn.Module = LOSSES[name].load()()
    return loss


def prediction_columns(
    utterances: Sequence[Utterance], values: Tensor, outputs: Sequence[str]
) -> Mapping[str, Sequence[Any] | Floats]:
    return {
        "target": [utterance.target for utterance in utterances],
        "predicted": values[:, 0].double().numpy(),
    }


def score(predictions: pd.DataFrame, train: Targets = (), loss: float | None = None) -> SplitScores:
    sums = _moments(predictions).sum(0, keepdims=True)
    if not len(predictions) or np.isnan(sums).any():
        raise ValueError("there is nothing to score, or a prediction is not a number")
    found = {name: float(values[0]) for name, values in _scores(sums).items()}
    return SplitScores(utterances=len(predictions), loss=loss, **found)


def baselines(train: Targets, test: Targets, outputs: Sequence[str]) -> dict[str, SplitScores]:
    if not train or not test:
        raise ValueError("a split is empty")
    frame = pd.DataFrame({"target": test, "predicted": np.mean(train)})
    return {"mean": score(frame)}


def _moments(predictions: pd.DataFrame) -> Floats:
    true = predictions["target"].to_numpy(dtype=float)
    guess = predictions["predicted"].to_numpy(dtype=float)
    ones = np.ones(len(true))
    columns = (ones, true, guess, true**2, guess**2, true * guess, abs(true - guess))
    return np.stack(columns, axis=1)


def _scores(sums: Floats) -> dict[str, Floats]:
    count = np.maximum(sums[:, :1], 1)
    true, guess, true2, guess2, product, error = (sums[:, 1:] / count).T
    spread = true2 - true**2 + guess2 - guess**2 + (true - guess) ** 2
    ccc = np.divide(2 * (product - true * guess), spread, out=np.zeros_like(true), where=spread > 0)
    return {"ccc": ccc, "mae": error}


sufficient_statistics: SufficientStatistics | None = SufficientStatistics(_moments, _scores)
