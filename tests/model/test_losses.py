"""Losses against torch, scikit-learn and plain loops over the formula."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from harness.model.components import LOSSES, losses_of
from harness.model.losses import (
    CrossEntropy,
    DistributionalRanking,
    WeightedCrossEntropy,
    loss_weight,
)


def example(batch: int = 12, classes: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return (
        torch.randn(batch, classes, generator=generator),
        torch.randint(classes, (batch,), generator=generator),
    )


def dr_by_loops(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """The formula of FACTS, one number at a time."""
    positives, negatives = [], []
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        for column, logit in enumerate(row):
            probability = 1 / (1 + math.exp(-logit))
            (positives if column == label else negatives).append(probability)
    lambda_negative = 0.1 / math.log(3.5)
    high = [math.exp(p / lambda_negative) for p in negatives]
    low = [math.exp(-p) for p in positives]
    negative = sum(w * p for w, p in zip(high, negatives, strict=True)) / sum(high)
    positive = sum(w * p for w, p in zip(low, positives, strict=True)) / sum(low)
    return 4 / 6 * math.log(1 + math.exp(6 * (negative - positive + 0.5)))


def test_cross_entropy_is_the_mean_negative_log_probability() -> None:
    logits, labels = example()
    expected = -logits.log_softmax(1)[torch.arange(12), labels].mean()
    assert CrossEntropy([3] * 4)(logits, labels) == pytest.approx(float(expected))


def test_class_weights_equal_scikit_learns_balanced_ones() -> None:
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(WeightedCrossEntropy([50, 30, 20]).weight, expected, rtol=1e-6)


def test_weighted_cross_entropy_refuses_a_class_without_train_utterances() -> None:
    with pytest.raises(ValueError, match="every class needs"):
        WeightedCrossEntropy([3, 0])


def test_dr_equals_its_formula_written_as_loops() -> None:
    logits, labels = example()
    value = DistributionalRanking([3] * 4)(logits, labels)
    assert float(value) == pytest.approx(dr_by_loops(logits, labels), rel=1e-5)


def test_dr_counts_the_positives_of_class_zero() -> None:
    labels = torch.zeros(4, dtype=torch.long)
    right = torch.tensor([[4.0, -4.0]]).repeat(4, 1)
    loss = DistributionalRanking([4, 0])
    assert loss(right, labels) < loss(-right, labels)


@given(st.integers(0, 11), st.sampled_from(losses_of("classification")))
def test_raising_a_rows_true_logit_never_raises_the_loss(row: int, name: str) -> None:
    logits, labels = example()
    loss = LOSSES[name].load()([3] * 4)
    better = logits.clone()
    better[row, labels[row]] += 1.0
    assert loss(better, labels) <= loss(logits, labels) + 1e-6


@pytest.mark.parametrize("name", losses_of("classification"))
def test_every_loss_stays_finite_at_extreme_logits(name: str) -> None:
    loss = LOSSES[name].load()([1, 1])
    logits = torch.tensor([[1e4, -1e4], [-1e4, 1e4]], requires_grad=True)
    value = loss(logits, torch.tensor([1, 0]))
    value.backward()
    assert torch.isfinite(value)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("name", ["cross_entropy", "weighted_cross_entropy"])
def test_batches_that_are_added_up_give_the_loss_of_all_of_them(name: str) -> None:
    generator = torch.Generator().manual_seed(4)
    logits = torch.randn(12, 3, generator=generator)
    labels = torch.tensor([0] * 7 + [1] * 4 + [2])
    loss = LOSSES[name].load()([70, 25, 5])
    parts = [slice(0, 6), slice(6, 9), slice(9, 12)]
    weights = [loss_weight(loss, labels[part]) for part in parts]
    added = sum(
        loss(logits[part], labels[part]) * weight / sum(weights)
        for part, weight in zip(parts, weights, strict=True)
    )
    torch.testing.assert_close(added, loss(logits, labels))
