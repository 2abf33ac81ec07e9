import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import save_file
from torch import Tensor

from backbones import BACKBONES, BackboneError, load, loading
from backbones.base import Backbone
from backbones.families.wav2vec2.wav2vec2_network import build
from backbones.families.wav2vec2.wav2vec2_variants import VARIANTS
from backbones.randomness import seeded

Batch = Callable[..., tuple[Tensor, Tensor]]
TINY = BACKBONES["tiny-wavlm"]
PRE_NORM = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}


SETTINGS = [
    ("wavlm", {}),
    ("wavlm", PRE_NORM),
    ("hubert", {}),
    ("hubert", PRE_NORM | {"conv_bias": True}),
    ("hubert", {"feat_proj_layer_norm": False}),
    ("wav2vec2", {}),
    ("wav2vec2", PRE_NORM | {"conv_bias": True}),
    ("data2vec", {"num_conv_pos_embeddings": 5, "conv_pos_kernel_size": 19}),
    ("data2vec", {"num_conv_pos_embeddings": 3, "conv_pos_kernel_size": 4, **PRE_NORM}),
    ("unispeech-sat", {}),
    ("unispeech-sat", PRE_NORM),
]
"""Families with the settings in which their published networks differ."""


def reference(family: str = "wavlm", /, **settings: object) -> Any:
    """Transformers' own network, with its own plain attention."""
    classes = VARIANTS[family].classes
    config = getattr(transformers, f"{classes}Config").from_dict(TINY.architecture | settings)
    with seeded(1):
        net = getattr(transformers, f"{classes}Model")._from_config(
            config, attn_implementation="eager"
        )
        for name, value in net.named_parameters():  # norms and biases that start as 1 and 0
            if value.ndim == 1 or "rel_attn_embed" in name:
                torch.nn.init.normal_(value, mean=value.detach().mean().item(), std=0.2)
    return net.eval()


def saved(net: Any, folder: Path, **preprocessor: object) -> Path:
    tensors = {name: value.contiguous() for name, value in net.state_dict().items()}
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(net.config.to_json_string())
    if preprocessor:
        (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return folder


def loaded(folder: Path, family: str = "wavlm") -> Backbone:
    """What `load` makes of a folder, with the tiny architecture under a real card's name."""
    real = next(card for card in BACKBONES.values() if card.family == family)
    card = replace(real, hidden_size=TINY.hidden_size, depth=TINY.depth)
    return loading.load(card, source=folder)


@pytest.mark.parametrize(("family", "settings"), SETTINGS)
def test_it_computes_what_transformers_does(
    family: str, settings: dict[str, object], tmp_path: Path, batch: Batch
) -> None:
    net = reference(family, **settings)
    backbone = loaded(saved(net, tmp_path, do_normalize=False), family)
    waveforms, _ = batch(16_000)
    with torch.no_grad():
        expected = net(waveforms, output_hidden_states=True)
    ours = backbone(waveforms, output_hidden_states=True)
    states = zip(ours.hidden_states or (), expected.hidden_states, strict=True)
    for mine, theirs in list(states)[:-1]:  # the last is under the final norm there, over it here
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-4)
    torch.testing.assert_close(
        ours.last_hidden_state, expected.last_hidden_state, rtol=0, atol=1e-4
    )


@pytest.mark.parametrize(("family", "settings"), SETTINGS)
def test_a_padded_batch_is_what_transformers_computes_for_each_row_alone(
    family: str, settings: dict[str, object], tmp_path: Path, batch: Batch
) -> None:
    net = reference(family, **settings)
    backbone = loaded(saved(net, tmp_path, do_normalize=False), family)
    waveforms, mask = batch(16_000, 7000)
    output = backbone(waveforms, mask)
    with torch.no_grad():
        alone = net(waveforms[1:, :7000]).last_hidden_state[0]
    real = output.last_hidden_state[1, : output.lengths[1]]
    torch.testing.assert_close(real, alone, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("family", "settings"), SETTINGS)
def test_its_gradients_are_those_of_transformers(
    family: str, settings: dict[str, object], tmp_path: Path, batch: Batch
) -> None:
    net = reference(family, **settings)
    backbone = loaded(saved(net, tmp_path, do_normalize=False), family).finetune("all")
    waveforms, _ = batch(8000)
    for network in (net, backbone):
        network(waveforms).last_hidden_state.square().sum().backward()
    theirs = {backbone.own_name(name): value.grad for name, value in net.named_parameters()}
    trained = {name: value for name, value in backbone.named_parameters() if value.requires_grad}
    assert {name for name in theirs if name and name.startswith("layers.")} <= set(trained)
    for name, value in trained.items():
        torch.testing.assert_close(value.grad, theirs[name], rtol=1e-3, atol=1e-3, msg=name)


@pytest.mark.parametrize("family", VARIANTS)
def test_whole_models_of_every_family_load(family: str, tmp_path: Path) -> None:
    """Before its tensors stands the family's name, and heads lie beside them."""
    net = reference(family)
    tensors = {f"{VARIANTS[family].prefix}.{k}": v.clone() for k, v in net.state_dict().items()}
    beside = ("quantizer.codevectors", "project_hid.weight", "lm_head.weight", "label_embs_concat")
    tensors |= {name: torch.zeros(2) for name in beside}
    save_file(tensors, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(net.config.to_json_string())
    assert loaded(tmp_path, family).weights.init == "pretrained"


@pytest.mark.parametrize("part", ["add_adapter", "conv_pos_batch_norm"])
def test_parts_outside_the_contract_are_refused(part: str) -> None:
    with pytest.raises(BackboneError, match=part):
        build(TINY, TINY.architecture | {part: True})


@pytest.mark.parametrize(
    ("settings", "stated", "normalises"),
    [
        ({}, {}, False),
        (PRE_NORM, {}, True),
        ({}, {"do_normalize": True}, True),
        (PRE_NORM, {"do_normalize": False}, False),
    ],
)
def test_waveforms_are_normalised_as_the_checkpoint_says(
    settings: dict[str, object],
    stated: dict[str, object],
    normalises: bool,
    tmp_path: Path,
    batch: Batch,
) -> None:
    backbone = loaded(saved(reference(**settings), tmp_path, **stated))
    waveforms, _ = batch(8000)
    convolved = []
    backbone.feature_extractor.conv_layers[0].conv.register_forward_pre_hook(
        lambda module, inputs: convolved.append(inputs[0].squeeze())
    )
    backbone(waveforms)
    expected = (
        torch.nn.functional.layer_norm(waveforms[0], (8000,), eps=1e-7)
        if normalises
        else waveforms[0]
    )
    heard = len(convolved[0])  # samples that make no whole frame may be left out
    assert heard > 8000 - 320
    torch.testing.assert_close(convolved[0], expected[:heard], rtol=0, atol=1e-3)


def test_normalised_input_is_what_transformers_own_extractor_makes(
    tmp_path: Path, batch: Batch
) -> None:
    from transformers import Wav2Vec2FeatureExtractor

    net = reference(**PRE_NORM)
    backbone = loaded(saved(net, tmp_path))
    waveform = batch(8000)[0] + 0.3
    extractor = Wav2Vec2FeatureExtractor(do_normalize=True)
    inputs = extractor(waveform[0].numpy(), sampling_rate=16_000, return_tensors="pt")
    with torch.no_grad():
        expected = net(inputs.input_values).last_hidden_state
    torch.testing.assert_close(backbone(waveform).last_hidden_state, expected, rtol=0, atol=1e-4)


def test_checkpoints_with_older_names_load(tmp_path: Path) -> None:
    net = reference()
    older = {
        f"wavlm.{name}".replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): value.clone()
        for name, value in net.state_dict().items()
    }
    assert "wavlm.encoder.pos_conv_embed.conv.weight_g" in older
    torch.save(older, tmp_path / "pytorch_model.bin")
    (tmp_path / "config.json").write_text(net.config.to_json_string())
    backbone = loaded(tmp_path)
    weight = backbone.pos_conv_embed.conv.weight
    assert torch.equal(weight, net.encoder.pos_conv_embed.conv.weight)


def test_fifty_frames_a_second(batch: Batch) -> None:
    backbone = load("tiny-wavlm")
    assert backbone(batch(16_000)[0]).last_hidden_state.shape[1] == 49
    assert backbone(batch(48_000)[0]).last_hidden_state.shape[1] == 149


def test_layerdrop_and_spec_augment_are_never_applied(batch: Batch) -> None:
    """SpecAugment would raise below ten frames, LayerDrop at 1.0 would skip every layer."""
    certain = TINY.architecture | {"layerdrop": 1.0, "mask_time_prob": 1.0, "hidden_dropout": 0.0}
    certain |= {"attention_dropout": 0.0, "activation_dropout": 0.0}
    backbone = build(TINY, certain)
    expected = backbone.finetune("all").eval()(batch(1000)[0]).last_hidden_state
    training = backbone.train()(batch(1000)[0]).last_hidden_state
    torch.testing.assert_close(training, expected)


def test_the_position_bias_of_layer_0_trains_when_it_is_released(batch: Batch) -> None:
    backbone = load("tiny-wavlm").finetune("all")
    backbone(batch(4000)[0]).last_hidden_state.square().mean().backward()
    assert backbone.layers[0].attention.rel_attn_embed.weight.grad is not None
