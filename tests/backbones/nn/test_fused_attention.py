import pytest
import torch
from torch import Tensor, nn

from backbones.nn.fused_attention import FEW_FRAMES, attend


def test_attention_without_dropout_is_torchs_and_with_it_has_the_same_mean() -> None:
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 7, 8)
    bias = torch.randn(2, 4, 7, 7).masked_fill(torch.rand(2, 1, 7, 7) > 0.9, -torch.inf)
    expected = nn.functional.scaled_dot_product_attention(query, key, value, bias)
    torch.testing.assert_close(attend(query, key, value, bias, 0.0), expected)
    by_hand = attend(query, key, value, bias, 1e-6)  # a rate that rounds to 0
    torch.testing.assert_close(by_hand, expected)
    many = torch.stack([attend(query, key, value, bias, 0.2) for _ in range(3000)])
    torch.testing.assert_close(many.mean(0), expected, rtol=0, atol=0.1)
    assert many.std(0).min() > 0


MASKS = {
    "none": None,
    "a mask of keys": torch.tensor([True] * 5 + [False] * 2)[None, None, None],
    "a bias": torch.randn(2, 4, 7, 7),
}


@pytest.mark.parametrize("bias", MASKS.values(), ids=MASKS.keys())
@pytest.mark.parametrize("scale", [None, 1.0])
def test_learning_in_half_precision_finds_what_float32_finds(
    bias: Tensor | None, scale: float | None
) -> None:
    torch.manual_seed(0)
    exact = [part.clone().requires_grad_() for part in torch.randn(3, 2, 4, 7, 8)]
    half = [part.detach().bfloat16().requires_grad_() for part in exact]
    exact_out = nn.functional.scaled_dot_product_attention(*exact, bias, scale=scale)
    own_bias = bias.bfloat16() if bias is not None and bias.dtype != torch.bool else bias
    half_out = attend(*half, own_bias, 0.0, scale)
    assert half_out.dtype == torch.bfloat16
    torch.testing.assert_close(half_out.float(), exact_out, rtol=0.03, atol=0.03)
    towards = torch.randn_like(exact_out)
    gradients = torch.autograd.grad(exact_out, exact, towards)
    for ours, theirs in zip(
        torch.autograd.grad(half_out, half, towards.bfloat16()), gradients, strict=True
    ):
        error = (ours.float() - theirs).norm() / theirs.norm()
        assert error < 0.02


@pytest.mark.parametrize(("frames", "held"), [(8, True), (FEW_FRAMES + 8, False)])
def test_all_weights_are_held_for_few_frames_only(frames: int, held: bool) -> None:
    query = torch.randn(1, 1, frames, 8, dtype=torch.bfloat16, requires_grad=True)
    attended = attend(query, query, query, None, 0.0)
    names = {type(attended.grad_fn).__name__}
    names |= {type(before).__name__ for before, _ in attended.grad_fn.next_functions}
    assert any("Flash" in name for name in names) != held
