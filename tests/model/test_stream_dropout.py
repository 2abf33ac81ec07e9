import pytest
import torch
from torch import nn

from harness.model.stream_dropout import StreamDropout, dropouts, seed_dropout


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_values_are_dropped_or_grow_to_make_up_for_it(p: float) -> None:
    torch.manual_seed(0)
    values = StreamDropout(p, 500)(torch.ones(200, 500))
    assert float((values == 0).float().mean()) == pytest.approx(p, abs=0.01)
    kept = values[values != 0]
    torch.testing.assert_close(kept, torch.full_like(kept, 1 / (1 - p or 1)))


def test_nothing_is_dropped_outside_training_and_the_type_stays() -> None:
    values = torch.ones(2, 3, dtype=torch.bfloat16)
    assert torch.equal(StreamDropout(0.5, 3).eval()(values), values)
    assert StreamDropout(0.5, 3)(values).dtype == torch.bfloat16


def test_what_is_drawn_beforehand_is_what_would_be_drawn_in_the_pass() -> None:
    drops, cpu = StreamDropout(0.5, 8), torch.device("cpu")
    seed_dropout([drops], 1, cpu)
    in_the_pass = drops(torch.ones(4, 8))
    seed_dropout([drops], 1, cpu)
    assert torch.equal(drops.draw(4, cpu), in_the_pass)


def test_networks_that_drop_as_much_share_a_stream() -> None:
    networks = [StreamDropout(p, 8) for p in (0.5, 0.2, 0.5)]
    first, second, third = seed_dropout(networks, 1, torch.device("cpu"))
    assert first is third
    assert first is not second
    assert [network.stream for network in networks] == [first, second, third]


def test_its_stream_is_its_own() -> None:
    network = nn.Sequential(StreamDropout(0.5, 64), nn.Sequential(StreamDropout(0.5, 64)))
    assert list(dropouts(network)) == ["0", "1.0"]
    outcomes = []
    for others in (0, 100):
        seed_dropout([network], 7, torch.device("cpu"))
        torch.rand(others)
        outcomes.append(network(torch.ones(3, 64)))
    assert torch.equal(*outcomes)
