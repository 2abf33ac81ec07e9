from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from backbones import BackboneError, load
from backbones.base import Backbone
from backbones.mel import mel_frames
from backbones.randomness import seeded
from backbones.whisper import Whisper, spectrogram

Batch = Callable[..., tuple[Tensor, Tensor]]
Tiny = Callable[[str], Backbone]
THIRTY_SECONDS = 480_000


def reference() -> Any:
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    config = WhisperConfig(d_model=64, encoder_layers=2, encoder_attention_heads=4)
    with seeded(1):
        return WhisperEncoder(config).eval()


def features(waveform: Tensor, **options: Any) -> Tensor:
    from transformers import WhisperFeatureExtractor

    extractor = WhisperFeatureExtractor()
    inputs = extractor(
        waveform.numpy(), sampling_rate=16_000, return_tensors="pt", truncation=False, **options
    )
    return torch.as_tensor(np.asarray(inputs.input_features))


@pytest.mark.parametrize("length", [201, 400, 1601, 16_000, 30_001])
def test_the_spectrogram_is_that_of_whispers_own_extractor(batch: Batch, length: int) -> None:
    waveform, _ = batch(length)
    lengths = torch.tensor([length])
    ours = spectrogram(waveform, lengths, 80)[..., : int(mel_frames(lengths))]
    torch.testing.assert_close(ours, features(waveform[0], padding=False), rtol=0, atol=1e-4)


def test_a_click_after_the_last_whole_frame_does_not_set_the_maximum(batch: Batch) -> None:
    waveform = 0.001 * batch(16_159)[0]
    waveform[0, -5:] = 1.0  # only the frame that Whisper leaves out reaches so far
    padded = torch.nn.functional.pad(waveform, (0, 8000))
    lengths = torch.tensor([16_159])
    alone = spectrogram(waveform, lengths, 80)[..., :100]
    torch.testing.assert_close(spectrogram(padded, lengths, 80)[..., :100], alone)
    torch.testing.assert_close(alone, features(waveform[0], padding=False), rtol=0, atol=1e-4)


def test_thirty_seconds_give_what_transformers_computes(tiny: Tiny, batch: Batch) -> None:
    net = reference()
    backbone = Whisper(tiny("tiny-whisper").card, net)
    waveform, _ = batch(THIRTY_SECONDS)
    with torch.no_grad():
        expected = net(features(waveform[0])).last_hidden_state
        ours = backbone(waveform).last_hidden_state
    assert ours.shape == (1, 1500, 64)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-4)


def test_short_speech_gives_what_transformers_layers_do_on_the_first_positions(
    tiny: Tiny, batch: Batch
) -> None:
    net = reference()
    waveform, _ = batch(16_000)
    with torch.no_grad():
        hidden = torch.nn.functional.gelu(net.conv1(features(waveform[0], padding=False)))
        hidden = torch.nn.functional.gelu(net.conv2(hidden)).transpose(1, 2)
        hidden = hidden + net.embed_positions.weight[: hidden.shape[1]]
        for layer in net.layers:
            hidden = layer(hidden, None)
        expected = net.layer_norm(hidden)
        ours = Whisper(tiny("tiny-whisper").card, net)(waveform).last_hidden_state
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-4)


def test_fifty_frames_a_second(tiny: Tiny, batch: Batch) -> None:
    output = tiny("tiny-whisper")(*batch(48_000, 16_000))
    assert output.lengths.tolist() == [150, 50]


def test_more_than_thirty_seconds_are_refused(tiny: Tiny) -> None:
    backbone = tiny("tiny-whisper")
    with pytest.raises(BackboneError, match=r"at most 30 s.*crop"):
        backbone(torch.zeros(1, THIRTY_SECONDS + 1))


def test_the_final_norm_is_released_with_the_layers(tiny: Tiny) -> None:
    backbone = tiny("tiny-whisper").finetune(1)
    assert backbone.layer_norm.weight.requires_grad
    assert not backbone.finetune(0).layer_norm.weight.requires_grad


@pytest.mark.slow
def test_the_published_whisper_base_loads_verified(whisper_base: Path, batch: Batch) -> None:
    backbone = load("openai/whisper-base", source=whisper_base, offline=True)
    assert backbone.weights.init == "pretrained"
    assert backbone.total_parameters() == backbone.card.parameters == 20_590_592
    with safe_open(whisper_base / "model.safetensors", "pt") as file:
        assert len(file.keys()) == len(backbone.state_dict()) == 97
        stored = file.get_tensor("model.encoder.layers.5.fc1.weight")
    assert torch.equal(backbone.layers[5].fc1.weight, stored.float())

    waveforms, mask = batch(32_000, 9000)
    together, alone = backbone(waveforms, mask), backbone(waveforms[1:, :9000])
    scale = alone.last_hidden_state.abs().max()
    difference = together.last_hidden_state[1, : alone.lengths[0]] - alone.last_hidden_state[0]
    assert difference.abs().max() < 1e-4 * scale
