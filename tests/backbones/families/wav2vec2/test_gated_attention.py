import pytest
import torch
from transformers.models.wavlm.modeling_wavlm import WavLMAttention

from backbones import load
from backbones.base import Frames
from backbones.families.wav2vec2.gated_attention import GatedAttention, distance_buckets


@pytest.mark.parametrize("settings", [(320, 800), (320, 1000), (32, 128)])
def test_buckets_are_those_of_transformers(settings: tuple[int, int]) -> None:
    theirs = WavLMAttention(8, 2, num_buckets=settings[0], max_distance=settings[1])
    distances = torch.arange(-2000, 2001)
    expected = theirs._relative_positions_bucket(distances)
    assert torch.equal(distance_buckets(distances, *settings), expected)


def test_its_tensors_keep_their_names() -> None:
    theirs = WavLMAttention(8, 2)
    expected = theirs.state_dict()
    assert set(GatedAttention(theirs).state_dict()) == set(expected)


@pytest.mark.parametrize("training", [True, False])
def test_attention_drops_out_in_training_alone(training: bool) -> None:
    torch.manual_seed(0)
    attention = GatedAttention(WavLMAttention(8, 2, dropout=0.5)).train(training)
    hidden = torch.randn(1, 20, 8)
    bias = attention.position_bias(20)
    once, again = (attention(hidden, None, bias)[0] for _ in range(2))
    assert torch.equal(once, again) != training


def test_one_bias_serves_every_row_and_every_layer() -> None:
    backbone = load("tiny-wavlm")
    seen = []
    for layer in backbone.layers:
        layer.register_forward_pre_hook(
            lambda module, inputs, named: seen.append(named["position_bias"]), with_kwargs=True
        )
    backbone.run(Frames(torch.randn(3, 7, 64), torch.tensor([7, 7, 2])), 0, 4)
    assert len(seen) == 4
    assert {bias.shape for bias in seen} == {(1, 4, 7, 7)}
    assert len({bias.data_ptr() for bias in seen}) == 1
