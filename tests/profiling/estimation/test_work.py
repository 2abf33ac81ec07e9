"""Work is what one counts by hand."""

import pytest
import torch

import backbones
from harness.model.ser_model import SERModel
from harness.profiling.estimation.backbone_profile import placeholder_backbone
from harness.profiling.estimation.work import Work, head_work, work_of
from harness.specs import BackboneSpec

CPU = torch.device("cpu")
D = 64


@pytest.mark.parametrize("name", ["tiny-emotion2vec", "whisper-tiny", "hubert-base"])
def test_a_transformer_layer_takes_24_d_squared_a_frame_and_4_d_a_pair(name: str) -> None:
    work = work_of(placeholder_backbone(BackboneSpec(name=name), CPU), CPU)
    width = backbones.BACKBONES.card(name).hidden_size
    # four projections of attention and two of a feed-forward part four times as wide; scores and
    # their use on values; each product with its sum is two
    assert work.layer.per_frame == pytest.approx(2 * (4 + 2 * 4) * width**2)
    assert work.layer.per_pair == pytest.approx(2 * 2 * width)


def test_convolutions_are_counted() -> None:
    work = work_of(placeholder_backbone(BackboneSpec(name="whisper-tiny"), CPU), CPU)
    convolutions = 2 * 3 * (2 * 80 * 384 + 384 * 384)  # the first on two mel frames a frame
    spectrogram = 2 * 2 * 80 * 201
    assert work.stem.per_frame == pytest.approx(convolutions + spectrogram, rel=0.02)


def test_attentive_pooling_takes_d_times_h_a_frame() -> None:
    model = SERModel("tiny-wavlm", "attentive_statistics", 16, 40, 4, init="random").eval()
    statistics = 2 * 2 * D
    assert head_work(model).per_frame == pytest.approx(2 * 40 * (D + 1) + statistics, rel=0.05)


def test_work_without_weights_is_that_of_the_network_with_them() -> None:
    placeholder_work = work_of(placeholder_backbone(BackboneSpec(name="tiny-wavlm"), CPU), CPU)
    assert placeholder_work == work_of(backbones.load("tiny-wavlm"), CPU)


def test_a_backbone_without_layers_has_only_a_stem() -> None:
    work = work_of(placeholder_backbone(BackboneSpec(name="logmel"), CPU), CPU)
    assert work.layer == Work(0.0)
    assert work.prefix(100, 0) == work.stem.flops(100) > 0


def test_extra_tokens_go_through_layers_too() -> None:
    work = work_of(placeholder_backbone(BackboneSpec(name="tiny-emotion2vec"), CPU), CPU)
    assert work.extra_tokens == 10
    assert work.prefix(50, 1) - work.prefix(50, 0) == pytest.approx(work.layer.flops(60))


def test_a_placeholder_is_frozen_and_its_numbers_are_finite() -> None:
    network = placeholder_backbone(BackboneSpec(name="tiny-wavlm"), CPU)
    assert network.trainable_parameters() == 0
    frames = network.states(torch.randn(2, 16_000), torch.tensor([16_000, 9000]), [4])[4]
    assert frames.values.isfinite().all()
