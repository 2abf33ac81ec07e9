"""What a head standardises by, held against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from harness.model.standardise import Moments, Standardise


def batch(lengths: list[int], width: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    values = 450 + 30 * torch.randn(len(lengths), max(lengths), width, generator=generator)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    return values.masked_fill(~mask[..., None], 1e6), mask


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(0, 99))
def test_utterances_count_the_same_however_long_they_are(lengths: list[int], seed: int) -> None:
    values, mask = batch(lengths, 3, seed)
    moments = Moments()
    moments.add(values, mask)
    utterances = [row[real].double() for row, real in zip(values, mask, strict=True)]
    mean = torch.stack([frames.mean(0) for frames in utterances]).mean(0)
    square = torch.stack([(frames - mean).square().mean(0) for frames in utterances]).mean(0)
    found = moments.found()
    torch.testing.assert_close(found[0], mean)
    torch.testing.assert_close(found[1], square.sqrt(), rtol=1e-6, atol=1e-6)


def test_batches_add_up_to_what_one_batch_gives() -> None:
    values, mask = batch([4, 2, 3], 5, seed=1)
    whole, parts = Moments(), Moments()
    whole.add(values, mask)
    parts.add(values[:1], mask[:1])
    parts.add(values[1:], mask[1:])
    for one, other in zip(whole.found(), parts.found(), strict=True):
        torch.testing.assert_close(one, other)


def test_vectors_become_what_scikit_learn_makes_of_them() -> None:
    vectors = torch.randn(40, 6, generator=torch.Generator().manual_seed(2)) * 7 + 3
    moments, standardise = Moments(), Standardise(6)
    moments.add(vectors[:, None], torch.ones(40, 1, dtype=torch.bool))
    standardise.set(*moments.found())
    expected = StandardScaler().fit_transform(vectors.double().numpy())
    np.testing.assert_allclose(standardise(vectors).numpy(), expected, atol=1e-5)


def test_a_constant_dimension_is_centred_and_not_blown_up() -> None:
    vectors = torch.tensor([[450.3, 1.0], [450.3, 3.0], [450.3, 7.0]])
    moments, standardise = Moments(), Standardise(2)
    for row in vectors:
        moments.add(row[None, None], torch.ones(1, 1, dtype=torch.bool))
    standardise.set(*moments.found())
    assert standardise(vectors + 0.5)[:, 0].tolist() == pytest.approx([0.5] * 3, abs=1e-4)


def test_nothing_cannot_be_measured() -> None:
    with pytest.raises(ValueError, match="no utterances"):
        Moments().found()
