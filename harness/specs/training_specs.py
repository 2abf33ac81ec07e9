"""What learns and how: head, loss and fit."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from harness.specs.spec_base import (
    Count,
    FrozenMode,
    Integer,
    Number,
    PositiveFloat,
    Precision,
    Share,
    Spec,
)

HeadKind = Literal["mlp", "logistic_regression", "knn"]

PROBES = ("logistic_regression", "knn")
"""Kinds of head that need no training loop."""
PROBE_LOSSES = ("cross_entropy", "weighted_cross_entropy")
"""What a probe can take the place of: all utterances count the same in it, or all classes."""
_OF_NETWORKS = ("hidden_dim", "head_dim", "head_layers", "dropout")

CLASSIC_LOSS_FACTOR = 1.05


class HeadSpec(Spec):
    """What of the backbone is used, pooling and classifier."""

    kind: HeadKind = "mlp"
    """A network that is trained, or a probe: a classifier of scikit-learn on pooled frames of the
    frozen backbone, for which dev chooses its one setting."""
    layers: Literal["last", "weighted_sum"] = "last"
    """The last hidden state, or SUPERB's learned weighted sum of all (at finetune_layers 0)."""
    pooling: str = "statistics"
    hidden_dim: Count | None = 128
    """Width of the pooling attention, where there is one; null for the backbone's hidden size."""
    head_dim: Count = 256
    """Width of the classifier's hidden layers."""
    head_layers: Annotated[Integer, Field(ge=0, le=100)] = 1
    dropout: Share = 0.5

    @model_validator(mode="before")
    @classmethod
    def _only_what_a_probe_uses(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("kind", "mlp") not in PROBES:
            return data
        # attention is learned by gradients; where it begins, it is plain statistics
        pooling = (
            data["pooling"] if data.get("pooling") in ("mean", "MeanPooling") else "statistics"
        )
        kept = {key: value for key, value in data.items() if key not in _OF_NETWORKS}
        return kept | {"pooling": pooling}


class LearningRateSpec(Spec):
    """Peak learning rates."""

    head: PositiveFloat = 1e-3
    backbone: PositiveFloat = 1e-5


class EarlyStoppingSpec(Spec):
    """When to stop and which epoch's model to keep, both judged on dev."""

    rule: Literal["full_window", "classic"] = "full_window"
    """Averages over a full window alone compete; or the common recipe, in which those of the first
    epochs do too, and which stops on the dev loss of a single epoch."""
    metric: str = "macro_f1"
    """One of the task's for which higher is better."""
    window: Count = 5
    """Epochs in the moving average of the metric."""
    loss_factor: Annotated[Number, Field(ge=1)] | None = None
    """Stop once dev loss, averaged over the window, passes this times its minimum; null never stops
    early, except with the classic rule, where it is 1.05."""

    @model_validator(mode="before")
    @classmethod
    def _classic_stops(cls, data: Any) -> Any:
        classic = isinstance(data, dict) and data.get("rule") == "classic"
        if classic and data.get("loss_factor") is None:
            return data | {"loss_factor": CLASSIC_LOSS_FACTOR}
        return data


class TrainingSpec(Spec):
    """The fit."""

    epochs: Count | None = None
    """When left out 30, on a small corpus more, so that there are about 1,000 optimiser steps."""
    batch_seconds: PositiveFloat = 64.0
    learning_rate: LearningRateSpec = LearningRateSpec()
    weight_decay: Annotated[Number, Field(ge=0)] = 0.01
    warmup_share: Share = 0.1
    """Share of all steps in which the rates rise linearly; then they fall linearly to 0."""
    max_grad_norm: PositiveFloat = 1.0
    accumulation_steps: Count = 1
    crop_s: PositiveFloat | None = 10.0
    """Longest excerpt of a training utterance, cut at random each epoch; dev and test are whole."""
    precision: Precision = "auto"
    frozen_mode: FrozenMode = "eval"
    early_stopping: EarlyStoppingSpec = EarlyStoppingSpec()
    time_limit_s: PositiveFloat | None = None
    checkpoint_s: PositiveFloat = 300.0
    """How often the state of a fit is saved; it decides no outcome."""
