import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from backbones.nn.fast_dropout import Dropout, draw_fast, dropout

PRECISIONS = (torch.float32, torch.bfloat16, torch.float16)


@settings(deadline=None)
@given(p=st.floats(0, 0.95), width=st.integers(1, 50), precision=st.sampled_from(PRECISIONS))
def test_a_value_is_dropped_or_grows_to_make_up_for_it(
    p: float, width: int, precision: torch.dtype
) -> None:
    values = dropout(torch.ones(3, width, dtype=precision), p)
    assert values.dtype == precision
    kept = values[values != 0]
    rounding = max(1e-3, torch.finfo(precision).eps)
    torch.testing.assert_close(kept, torch.full_like(kept, 1 / (1 - p)), rtol=rounding, atol=0)


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_half_precision_drops_what_full_precision_does(precision: torch.dtype) -> None:
    draws = []
    for dtype in (torch.float32, precision):
        torch.manual_seed(3)
        draws.append(dropout(torch.ones(50, 50, dtype=dtype), 0.2) == 0)
    assert torch.equal(*draws)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_as_many_are_dropped_as_asked_for_wherever_they_stand(p: float) -> None:
    torch.manual_seed(0)
    dropped = dropout(torch.ones(400, 403), p) == 0
    for share in (dropped.float().mean(0), dropped.float().mean(1)):
        assert float(share.mean()) == pytest.approx(p, abs=0.01)
        assert float((share - p).abs().max()) < 5 * (p * (1 - p) / 400) ** 0.5


def test_a_seed_decides_what_is_dropped() -> None:
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        draws.append(dropout(torch.ones(64), 0.5))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_the_gradient_passes_where_a_value_did() -> None:
    values = torch.ones(100, requires_grad=True)
    kept = dropout(values, 0.3)
    kept.sum().backward()
    assert torch.equal(values.grad, kept.detach())


def test_everything_and_nothing_can_be_dropped() -> None:
    assert dropout(torch.ones(5), 1.0).tolist() == [0.0] * 5
    assert dropout(torch.ones(5), 0.0).tolist() == [1.0] * 5


def test_every_dropout_of_a_network_is_replaced_and_rests_outside_training() -> None:
    network = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Dropout(0.4), nn.Dropout(0.2)))
    draw_fast(network)
    assert [m.p for m in network.modules() if isinstance(m, Dropout)] == [0.4, 0.2]
    assert not [m for m in network.modules() if isinstance(m, nn.Dropout)]
    values = torch.randn(2, 4)
    assert torch.equal(network.eval()(values), network[0](values))
    assert not torch.equal(network.train()(values), network[0](values))
