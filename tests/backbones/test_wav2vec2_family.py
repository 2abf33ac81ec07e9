import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from backbones import BACKBONES, load, loading
from backbones.base import Backbone
from backbones.randomness import seeded
from backbones.wav2vec2_family import build

Batch = Callable[..., tuple[Tensor, Tensor]]
TINY = BACKBONES["tiny-wavlm"]
PRE_NORM = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}


def reference(**settings: object) -> Any:
    from transformers import WavLMConfig, WavLMModel

    with seeded(1):
        return WavLMModel(WavLMConfig.from_dict(TINY.architecture | settings)).eval()


def saved(net: Any, folder: Path, **preprocessor: object) -> Path:
    tensors = {name: value.contiguous() for name, value in net.state_dict().items()}
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(net.config.to_json_string())
    if preprocessor:
        (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return folder


def loaded(folder: Path) -> Backbone:
    """What `load` makes of a folder, with the tiny architecture under a real card's name."""
    card = replace(TINY, name="wavlm-base", always_random=False, huggingface="microsoft/wavlm-base")
    return loading.load(card, source=folder)


@pytest.mark.parametrize("settings", [{}, PRE_NORM], ids=["base", "large"])
def test_it_computes_what_transformers_does(
    settings: dict[str, object], tmp_path: Path, batch: Batch
) -> None:
    net = reference(**settings)
    backbone = loaded(saved(net, tmp_path, do_normalize=False))
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


def test_a_padded_batch_is_what_transformers_computes_for_each_row_alone(
    tmp_path: Path, batch: Batch
) -> None:
    net = reference()
    backbone = loaded(saved(net, tmp_path))
    waveforms, mask = batch(16_000, 7000)
    output = backbone(waveforms, mask)
    with torch.no_grad():
        alone = net(waveforms[1:, :7000]).last_hidden_state[0]
    real = output.last_hidden_state[1, : output.lengths[1]]
    torch.testing.assert_close(real, alone, rtol=0, atol=1e-4)


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
    torch.testing.assert_close(convolved[0], expected, rtol=0, atol=1e-3)


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
