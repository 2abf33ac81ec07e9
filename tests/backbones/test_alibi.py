import sys

import pytest
import torch

from backbones.alibi import alibi
from backbones.funasr_room import emotion2vec_class, funasr_room


@pytest.mark.parametrize("heads", [1, 2, 6, 8, 12, 16])
def test_alibi_is_funasrs(heads: int) -> None:
    with funasr_room():
        emotion2vec_class()
        theirs = sys.modules["funasr.models.emotion2vec.base"].get_alibi(20, heads)
    torch.testing.assert_close(alibi(20, heads, torch.device("cpu")), theirs)
