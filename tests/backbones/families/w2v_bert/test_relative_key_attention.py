from typing import Any

import pytest
import torch
from transformers import Wav2Vec2BertConfig
from transformers.models.wav2vec2_bert.modeling_wav2vec2_bert import Wav2Vec2BertSelfAttention

from backbones.families.w2v_bert.relative_key_attention import RelativeKeyAttention
from backbones.randomness import seeded


def attention() -> Any:
    config = Wav2Vec2BertConfig(
        hidden_size=32,
        num_attention_heads=4,
        left_max_position_embeddings=5,
        right_max_position_embeddings=2,
        attn_implementation="eager",
    )
    with seeded(1):
        return Wav2Vec2BertSelfAttention(config).eval()


@pytest.mark.parametrize("frames", [1, 4, 12])
def test_it_computes_what_transformers_does_and_so_do_its_gradients(frames: int) -> None:
    theirs = attention()
    ours = RelativeKeyAttention(theirs)
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(2, frames, 32, generator=generator)
    found, expected = {}, {}
    for network, results in ((theirs, expected), (ours, found)):
        network.zero_grad()
        mask = torch.ones(2, 1, 1, frames, dtype=torch.bool)
        results["output"] = network(hidden, attention_mask=None if network is theirs else mask)[0]
        results["output"].square().sum().backward()
        results["gradient"] = network.distance_embedding.weight.grad.clone()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=1e-5)


def test_no_frame_looks_at_padding() -> None:
    ours = RelativeKeyAttention(attention())
    hidden = torch.randn(1, 9, 32)
    mask = (torch.arange(9) < 6)[None, None, None]
    together = ours(hidden, mask)[0][:, :6]
    alone = ours(hidden[:, :6], mask[..., :6])[0]
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


def test_released_it_drops_out() -> None:
    theirs = attention()
    theirs.dropout.p = 0.5
    ours = RelativeKeyAttention(theirs).train()
    hidden, mask = torch.randn(1, 9, 32), torch.ones(1, 1, 1, 9, dtype=torch.bool)
    assert not torch.equal(ours(hidden, mask)[0], ours(hidden, mask)[0])
    assert torch.equal(ours.eval()(hidden, mask)[0], ours(hidden, mask)[0])
