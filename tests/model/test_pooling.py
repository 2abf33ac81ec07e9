"""Poolings against plain loops, and their blindness to padding."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UserError
from harness.model.components import POOLING_ALIASES, POOLINGS, pooling_name
from harness.model.pooling import (
    AttentiveStatisticsPooling,
    MeanPooling,
    StatisticsPooling,
)


def example() -> tuple[torch.Tensor, torch.Tensor]:
    values = torch.randn(3, 7, 4, generator=torch.Generator().manual_seed(0))
    mask = torch.arange(7)[None] < torch.tensor([7, 4, 1])[:, None]
    return values, mask


def test_mean_pooling_is_the_mean_of_each_rows_real_frames() -> None:
    values, mask = example()
    pooled = MeanPooling(4, 4)(values, mask)
    for row, frames, length in zip(pooled, values, (7, 4, 1), strict=True):
        torch.testing.assert_close(row, frames[:length].mean(0))


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=5), st.integers(0, 99))
def test_statistics_are_torchs_mean_and_biased_deviation_of_each_row_alone(
    lengths: list[int], seed: int
) -> None:
    values = torch.randn(len(lengths), 30, 4, generator=torch.Generator().manual_seed(seed))
    pooled = StatisticsPooling(4, 4)(values, torch.arange(30) < torch.tensor(lengths)[:, None])
    for row, frames, length in zip(pooled, values, lengths, strict=True):
        real = frames[:length]
        deviation = real.std(0, correction=0).clamp(min=1e-5**0.5)
        torch.testing.assert_close(row, torch.cat([real.mean(0), deviation]))


def test_attentive_statistics_equal_the_formula_row_by_row() -> None:
    torch.manual_seed(0)
    values, mask = example()
    pooling = AttentiveStatisticsPooling(4, 5)
    pooled = pooling(values, mask)
    first, _, last = pooling.attention
    for row, frames, length in zip(pooled, values, (7, 4, 1), strict=True):
        x = frames[:length]
        weights = (torch.tanh(x @ first.weight.T + first.bias) @ last.weight.T).softmax(0)
        mean = (weights * x).sum(0)
        variance = (weights * x**2).sum(0) - mean**2
        expected = torch.cat([mean, variance.clamp(min=1e-5).sqrt()])
        torch.testing.assert_close(row, expected)


@pytest.mark.parametrize("name", sorted(POOLINGS))
def test_what_lies_in_the_padding_changes_nothing(name: str) -> None:
    torch.manual_seed(0)
    values, mask = example()
    pooling = POOLINGS[name].load()(4, 4)
    dirty = values.masked_fill(~mask[..., None], float("nan"))
    assert torch.equal(pooling(values, mask), pooling(dirty, mask))


@pytest.mark.parametrize("name", sorted(POOLINGS))
def test_every_pooling_says_how_wide_its_output_is(name: str) -> None:
    values, mask = example()
    pooling = POOLINGS[name].load()(4, 3)
    assert pooling(values, mask).shape == (3, pooling.output_dim)


@pytest.mark.parametrize("pooling", [AttentiveStatisticsPooling, StatisticsPooling])
def test_a_single_frame_has_the_smallest_deviation_and_a_finite_gradient(
    pooling: type[torch.nn.Module],
) -> None:
    values = torch.ones(1, 1, 4, requires_grad=True)
    pooled = pooling(4, 4)(values, torch.ones(1, 1, dtype=torch.bool))
    pooled.sum().backward()
    torch.testing.assert_close(pooled[0, 4:], torch.full((4,), 1e-5).sqrt())
    assert values.grad is not None
    assert torch.isfinite(values.grad).all()


@pytest.mark.parametrize("name", sorted(POOLINGS))
def test_statistics_keep_their_precision_where_the_rest_is_mixed(name: str) -> None:
    torch.manual_seed(0)
    values, mask = torch.randn(2, 50, 8) + 10, torch.ones(2, 50, dtype=torch.bool)
    pooling = POOLINGS[name].load()(8, 4)
    plain = pooling(values, mask)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = pooling(values, mask)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, plain, rtol=0.01, atol=0.0)


@pytest.mark.parametrize(("old", "new"), POOLING_ALIASES.items())
def test_old_class_names_are_understood(old: str, new: str) -> None:
    assert pooling_name(old) == new


def test_an_unknown_pooling_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match="did you mean 'mean'"):
        pooling_name("maen")
