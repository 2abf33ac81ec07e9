import pytest
import torch

from backbones.base import Frames
from backbones.families.emotion2vec.alibi_attention import key_bias, working_dtype


def test_without_padding_one_bias_serves_every_row() -> None:
    frames = Frames(torch.zeros(3, 4, 2), torch.tensor([4, 4, 4]))
    assert key_bias(torch.ones(1, 2, 4, 4), frames).shape == (1, 2, 4, 4)


def test_no_frame_looks_at_padding() -> None:
    frames = Frames(torch.zeros(2, 4, 2), torch.tensor([4, 1]))
    bias = key_bias(torch.ones(1, 2, 4, 4), frames)
    assert bias.shape == (2, 2, 4, 4)
    assert (bias[0] == 1).all()
    assert (bias[1, :, :, :1] == 1).all()
    assert (bias[1, :, :, 1:] == -torch.inf).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_products_are_taken_in_the_precision_in_force(dtype: torch.dtype) -> None:
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        assert working_dtype(torch.zeros(1)) == dtype
