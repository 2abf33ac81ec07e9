from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from backbones import BackboneError, load


def test_an_utterance_has_mean_0_and_variance_1_and_its_bands_differ(
    batch: Callable[..., tuple[Tensor, Tensor]],
) -> None:
    output = load("logmel")(*batch(32_000, 8000))
    assert output.last_hidden_state.shape == (2, 200, 80)
    own = output.last_hidden_state[1, : output.lengths[1]]
    assert float(own.mean()) == pytest.approx(0.0, abs=1e-4)
    assert float(own.var(unbiased=False)) == pytest.approx(1.0, abs=1e-3)
    assert own.mean(0).std() > 0.1


def test_loudness_is_normalised_away(batch: Callable[..., tuple[Tensor, Tensor]]) -> None:
    waveforms, _ = batch(8000)
    backbone = load("logmel")
    quiet, loud = (backbone(gain * waveforms).last_hidden_state for gain in (1, 5))
    torch.testing.assert_close(quiet, loud, atol=1e-3, rtol=0)


def test_there_is_nothing_to_train() -> None:
    backbone = load("logmel")
    assert backbone.finetune("all").trainable_parameters() == 0
    with pytest.raises(BackboneError, match="has 0 layers"):
        backbone.finetune(1)
