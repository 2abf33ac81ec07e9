import sys

import pytest
import torch

from backbones.families.emotion2vec.alibi import alibi, alibi_slopes
from backbones.families.emotion2vec.funasr_import import emotion2vec_class, process_state_kept


@pytest.mark.parametrize("heads", [1, 2, 6, 8, 12, 16])
def test_alibi_is_funasrs(heads: int) -> None:
    with process_state_kept():
        emotion2vec_class()
        theirs = sys.modules["funasr.models.emotion2vec.base"].get_alibi(20, heads)
    torch.testing.assert_close(alibi(20, torch.tensor(alibi_slopes(heads)))[0], theirs)


def test_extra_tokens_are_at_no_distance_from_anything() -> None:
    slopes = torch.tensor(alibi_slopes(4))
    bias = alibi(5, slopes, extra=3)
    assert bias.shape == (1, 4, 8, 8)
    assert not bias[:, :, :3].any()
    assert not bias[:, :, :, :3].any()
    torch.testing.assert_close(bias[:, :, 3:, 3:], alibi(5, slopes))
