import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from backbones.nn.feature_encoder import CONVOLUTIONS
from backbones.nn.padding import (
    frames_after,
    group_norm,
    receptive_field,
    standardise,
    zero_padding,
)


@given(length=st.integers(1, 3000), stack=st.integers(1, len(CONVOLUTIONS)))
def test_frames_are_as_many_as_the_convolutions_give(length: int, stack: int) -> None:
    convolutions = CONVOLUTIONS[:stack]
    frames = int(frames_after(torch.tensor([length]), convolutions))
    if length < receptive_field(convolutions):
        assert frames == 0
        return
    values = torch.zeros(1, 1, length)
    for kernel, stride in convolutions:
        values = nn.functional.conv1d(values, torch.ones(1, 1, kernel), stride=stride)
    assert frames == values.shape[2]


def test_a_row_is_standardised_as_layer_norm_would_without_its_padding() -> None:
    values = torch.randn(2, 50) * 3 + 1
    ours = standardise(zero_padding(values, torch.tensor([50, 20])), torch.tensor([50, 20]), 1e-5)
    torch.testing.assert_close(ours[1, :20], nn.functional.layer_norm(values[1, :20], (20,)))
    assert not ours[1, 20:].any()


def test_silence_is_standardised_to_silence() -> None:
    assert not standardise(torch.zeros(1, 40), torch.tensor([40]), 1e-7).any()


def test_group_norm_equals_torchs_on_each_row_alone() -> None:
    norm = nn.GroupNorm(4, 4)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    values, lengths = torch.randn(3, 4, 30), torch.tensor([30, 11, 1])
    ours = group_norm(norm, values, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = norm(values[row : row + 1, :, :length]) if length > 1 else norm.bias[None, :, None]
        torch.testing.assert_close(ours[row : row + 1, :, :length], alone, rtol=0, atol=1e-5)


def test_padding_is_zeroed_even_where_it_is_not_a_number() -> None:
    values = torch.full((1, 3, 2), torch.nan)
    values[:, :1] = 1
    assert zero_padding(values, torch.tensor([1])).tolist() == [[[1, 1], [0, 0], [0, 0]]]
