"""SERModel as users of the recipe build it, by names old and new."""

import pytest
import torch

import backbones
from harness.errors import UserError
from harness.model.components import LOSSES, POOLINGS, losses_of
from harness.model.ser_model import SERModel


def tiny(finetune_layers: int = 1) -> SERModel:
    return SERModel("tiny-wavlm", "mean", 16, None, 4, finetune_layers, init="random")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["emotion2vec_plus_base", "iic/emotion2vec_plus_base"])
def test_two_waveforms_of_3_s_become_logits_for_eight_classes(name: str) -> None:
    model = SERModel(
        ssl_type=name,
        pooling_type="AttentiveStatisticsPooling",
        head_dim=256,
        hidden_dim=768,
        classifier_output_dim=8,
        finetune_layers=3,
        init="random",
    ).eval()
    with torch.inference_mode():
        logits = model(torch.randn(2, 48_000), torch.ones(2, 48_000, dtype=torch.long))
    assert logits.shape == (2, 8)
    assert model.backbone.config.hidden_size == 768
    assert len(model.backbone.encoder.layers) == 8
    layers = model.backbone.encoder.layers
    assert not any(p.requires_grad for p in layers[0].parameters())
    assert all(p.requires_grad for p in layers[-1].parameters())


def test_head_dim_is_the_classifiers_width_and_hidden_dim_the_attentions() -> None:
    model = SERModel("tiny-wavlm", "attentive_statistics", 24, 40, 4, init="random")
    assert model.classifier[1].out_features == 24
    assert model.pooling.attention[0].out_features == 40


def test_attention_width_is_the_hidden_size_unless_given() -> None:
    model = SERModel("tiny-wavlm", "attentive_statistics", 24, None, 4, init="random")
    assert model.pooling.attention[0].out_features == model.backbone.config.hidden_size


def test_a_loaded_backbone_is_taken_as_it_is() -> None:
    backbone = backbones.load("tiny-wavlm", init="random")
    assert SERModel(backbone, "mean", 16, None, 4).backbone is backbone


def test_an_utterances_logits_do_not_depend_on_its_batch() -> None:
    model = tiny().eval()
    waveforms = torch.randn(2, 16_000)
    waveforms[1, 8_000:] = 0
    with torch.inference_mode():
        together = model.logits(waveforms, torch.tensor([16_000, 8_000]))
        alone = model.logits(waveforms[1:, :8_000], torch.tensor([8_000]))
    torch.testing.assert_close(together[1:], alone, atol=1e-4, rtol=1e-4)


def test_the_trained_state_holds_head_and_released_layers_and_restores_them() -> None:
    model, other = tiny(), tiny()
    state = model.trained_state()
    standardised = 2 * sum(len(scale.mean) for scale in (*model.frame_scales, model.pooled_scale))
    found = sum(tensor.numel() for tensor in state.values())
    assert found == model.trainable_parameters() + standardised
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1.0)
    other.load_trained_state(state)
    for name, parameter in other.named_parameters():
        if parameter.requires_grad:
            assert torch.equal(parameter, state[name])


def test_a_state_of_another_trial_is_refused_by_name() -> None:
    state = tiny(finetune_layers=2).trained_state()
    with pytest.raises(UserError, match=r"does not fit this trial: backbone\."):
        tiny(finetune_layers=1).load_trained_state(state)


@pytest.mark.parametrize("name", losses_of("classification"))
@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_a_training_step_makes_every_tensor_on_the_device_of_its_inputs(
    name: str, pooling: str
) -> None:
    model = SERModel("tiny-wavlm", pooling, 16, None, 4, 1, init="random").train()
    loss = LOSSES[name].load()([1] * 4)
    waveforms, lengths = torch.randn(2, 8_000), torch.tensor([8_000, 6_000])
    labels = torch.tensor([0, 3])
    # a tensor made without a device would now be on "meta", and would not go with the others
    with torch.device("meta"):
        value = loss(model.logits(waveforms, lengths), labels)
        value.backward()
    assert value.device.type == "cpu"
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_a_weighted_sum_starts_as_the_mean_of_all_hidden_states() -> None:
    model = SERModel("tiny-wavlm", "mean", 16, None, 4, layers="weighted_sum", init="random").eval()
    waveforms = torch.randn(2, 8_000)
    with torch.inference_mode():
        states = model.backbone(waveforms, output_hidden_states=True).hidden_states
        expected = model.classifier(torch.stack(states).mean((0, 2)))
        torch.testing.assert_close(model(waveforms), expected)


def test_the_weights_of_a_sum_are_learned_and_kept() -> None:
    model = SERModel("tiny-wavlm", "mean", 16, None, 4, layers="weighted_sum", init="random")
    model.train()(torch.randn(2, 8_000)).square().sum().backward()
    assert model.layer_sum is not None
    assert model.layer_sum.weights.grad is not None
    assert model.layer_sum.weights.grad.abs().sum() > 0
    assert "layer_sum.weights" in model.trained_state()
    assert sum(p.numel() for p in model.head_parameters()) == model.trainable_parameters()


def test_a_weighted_sum_of_released_layers_is_refused() -> None:
    with pytest.raises(UserError, match="frozen backbone"):
        SERModel("tiny-wavlm", "mean", 16, None, 4, 1, layers="weighted_sum", init="random")
