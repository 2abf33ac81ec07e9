"""A pooling that learns nothing cannot tell summarised frames from all of them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backbones.base import Backbone, Frames
from harness.cache.frame_summaries import summarise
from harness.cache.frame_views import Form
from harness.model.components import POOLINGS
from harness.model.ser_model import SERModel

FORMS: list[Form] = ["statistics"]

lengths_of_rows = st.lists(st.integers(1, 40), min_size=1, max_size=5)


def noise(lengths: list[int], seed: int, offset: float = 0.0) -> Frames:
    """Frames with nonsense as padding."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(len(lengths), max(lengths), 6, generator=generator) + offset
    frames = Frames(values, torch.tensor(lengths))
    return Frames(values.masked_fill(~frames.mask()[..., None], torch.nan), frames.lengths)


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None)
@given(lengths=lengths_of_rows, seed=st.integers(0, 99), offset=st.floats(-20, 20))
def test_pooling_summarised_frames_is_pooling_all_frames(
    form: Form, lengths: list[int], seed: int, offset: float
) -> None:
    frames = noise(lengths, seed, offset)
    summarised = summarise(frames, form)
    pooling = POOLINGS[form].load()(6, 6)
    torch.testing.assert_close(
        pooling(summarised.values, summarised.mask()),
        pooling(frames.values, frames.mask()),
        rtol=1e-5,
        atol=2e-5,
    )


@pytest.mark.parametrize(("form", "kept"), [("statistics", 2)])
def test_one_or_two_vectors_are_left(form: Form, kept: int) -> None:
    summarised = summarise(noise([5, 40, 1], seed=0), form)
    assert summarised.values.shape == (3, kept, 6)
    assert summarised.lengths.tolist() == [kept] * 3


def test_all_frames_stay_as_they_are() -> None:
    frames = noise([5, 3], seed=0)
    assert summarise(frames, "frames") is frames


@pytest.mark.parametrize("form", FORMS)
def test_statistics_are_taken_in_float32_whatever_surrounds_them(form: Form) -> None:
    frames = noise([30, 20], seed=0, offset=10.0)
    halves = Frames(frames.values.bfloat16(), frames.lengths)
    with torch.autocast("cpu", torch.bfloat16):
        summarised = summarise(halves, form).values
    assert summarised.dtype == torch.float32
    expected = summarise(Frames(halves.values.float(), frames.lengths), form).values
    assert torch.equal(summarised, expected)


@settings(max_examples=20, deadline=None)
@given(lengths=st.lists(st.integers(4000, 16_000), min_size=1, max_size=3), seed=st.integers(0, 99))
def test_a_weighted_sum_of_means_is_the_mean_of_the_weighted_sum(
    emotion2vec: Backbone, lengths: list[int], seed: int
) -> None:
    model = SERModel(emotion2vec, "mean", 16, None, 4, layers="weighted_sum").eval()
    assert model.layer_sum is not None
    torch.nn.init.normal_(model.layer_sum.weights)
    waveforms = torch.randn(
        len(lengths), max(lengths), generator=torch.Generator().manual_seed(seed)
    )
    with torch.inference_mode():
        states = model.prefix(waveforms, torch.tensor(lengths))
        summarised = tuple(summarise(state, "statistics") for state in states)
        torch.testing.assert_close(
            model.suffix(summarised), model.suffix(states), atol=1e-5, rtol=1e-5
        )
