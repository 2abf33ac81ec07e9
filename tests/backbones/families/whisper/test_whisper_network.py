from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from backbones import load
from backbones.base import Backbone, Frames
from backbones.families.whisper.whisper_network import Whisper, spectrogram
from backbones.nn.mel import mel_frames
from backbones.randomness import seeded

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


def test_a_longer_utterance_is_its_windows_of_thirty_seconds_joined(
    tiny: Tiny, batch: Batch
) -> None:
    backbone = tiny("tiny-whisper")
    waveform, _ = batch(THIRTY_SECONDS + 8000)
    pieces = [backbone(piece).last_hidden_state for piece in waveform.split(THIRTY_SECONDS, 1)]
    assert [piece.shape[1] for piece in pieces] == [1500, 25]
    joined = backbone(waveform).last_hidden_state
    torch.testing.assert_close(joined, torch.cat(pieces, 1), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("left", "frames"), [(0, 0), (1, 0), (159, 0), (160, 1), (200, 1)])
def test_any_number_of_samples_may_be_left_for_the_last_window(
    tiny: Tiny, batch: Batch, left: int, frames: int
) -> None:
    backbone = tiny("tiny-whisper-in-windows")
    output = backbone(batch(2 * 16_000 + left)[0])
    assert output.lengths.tolist() == [100 + frames]
    assert output.last_hidden_state.shape[1] == 100 + frames
    assert torch.isfinite(output.last_hidden_state).all()


@pytest.mark.parametrize("length", [160, 180, 200])
def test_a_short_last_window_is_mirrored_as_numpy_does(batch: Batch, length: int) -> None:
    """Whisper's own extractor in numpy takes such lengths, the one in torch does not."""
    from transformers import WhisperFeatureExtractor

    waveform, _ = batch(length)
    ours = spectrogram(waveform, torch.tensor([length]), 80)[0, :, :1]
    theirs = WhisperFeatureExtractor()._np_extract_fbank_features(waveform.numpy(), "cpu")[0]
    torch.testing.assert_close(ours, torch.as_tensor(theirs), rtol=0, atol=1e-4)


MIXED = (41_000, 9000, 16_000, 16_100, 32_001)  # windows of 16,000 samples


def test_long_and_short_rows_share_a_batch(tiny: Tiny, batch: Batch) -> None:
    backbone = tiny("tiny-whisper-in-windows")
    waveforms, mask = batch(*MIXED)
    together = backbone(waveforms, mask)
    assert together.lengths.tolist() == [128, 28, 50, 50, 100]
    for row, length in enumerate(MIXED):
        pieces = waveforms[row : row + 1, :length].split(16_000, 1)
        heard = [piece for piece in pieces if piece.shape[1] >= backbone.minimum_samples]
        alone = torch.cat([backbone(piece).last_hidden_state[0] for piece in heard])
        own = together.last_hidden_state[row, : together.lengths[row]]
        torch.testing.assert_close(own, alone, rtol=0, atol=1e-4)


def test_running_long_rows_in_two_parts_is_running_them_in_one(tiny: Tiny, batch: Batch) -> None:
    backbone = tiny("tiny-whisper-in-windows")
    waveforms, mask = batch(*MIXED)
    halfway = backbone.run(backbone.stem(waveforms, mask.sum(1)), 0, 1)
    parts = backbone.finish(backbone.run(halfway, 1, 2)).values
    whole = backbone(waveforms, mask).last_hidden_state
    real = halfway.mask()
    torch.testing.assert_close(parts[real], whole[real], rtol=0, atol=1e-6)


def test_gradients_stay_inside_a_window_and_reach_all_of_it(tiny: Tiny, batch: Batch) -> None:
    backbone = tiny("tiny-whisper-in-windows")
    frames = backbone.stem(batch(41_000)[0], torch.tensor([41_000]))
    values = frames.values.detach().requires_grad_()
    output = backbone.run(Frames(values, frames.lengths), 0, 2).values
    output[0, 50:100].square().sum().backward()
    assert values.grad is not None
    reached = (values.grad[0] != 0).any(1)
    assert reached.nonzero().flatten().tolist() == list(range(50, 100))


@pytest.mark.parametrize("length", [201, 16_000, 47_999, THIRTY_SECONDS])
def test_padded_to_thirty_seconds_it_is_what_transformers_computes(
    tiny: Tiny, batch: Batch, length: int
) -> None:
    net = reference()
    backbone = Whisper(replace(tiny("tiny-whisper").card, pads_to_s=30.0), net)
    waveform, _ = batch(length)
    with torch.no_grad():
        expected = net(features(waveform[0], padding="max_length")).last_hidden_state
        output = backbone(waveform)
    assert output.lengths.tolist() == [1500]
    torch.testing.assert_close(output.last_hidden_state, expected, rtol=0, atol=1e-4)


def test_padded_speech_has_as_many_whole_windows_as_it_needs(tiny: Tiny, batch: Batch) -> None:
    backbone = tiny("tiny-whisper-padded")
    waveforms, mask = batch(16_001, 16_000, 300)
    output = backbone(waveforms, mask)
    assert output.lengths.tolist() == [100, 50, 50]
    second = torch.nn.functional.pad(waveforms[:1, 16_000:], (0, 15_999))
    alone = tiny("tiny-whisper-in-windows")(second).last_hidden_state[0]
    torch.testing.assert_close(output.last_hidden_state[0, 50:], alone, rtol=0, atol=1e-4)


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


@pytest.mark.slow
def test_the_published_whisper_base_padded_is_what_transformers_computes(
    whisper_base: Path, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    monkeypatch.setenv("HARNESS_MODELS", str(whisper_base.parent))
    backbone = load("whisper-base-30s", offline=True)
    net = WhisperEncoder(WhisperConfig.from_pretrained(whisper_base)).eval()
    stored = load_file(whisper_base / "model.safetensors")
    net.load_state_dict({name.removeprefix("model.encoder."): v for name, v in stored.items()})
    waveform, _ = batch(40_000)
    with torch.no_grad():
        expected = net(features(waveform[0], padding="max_length")).last_hidden_state
    ours = backbone(waveform).last_hidden_state
    assert ours.shape == (1, 1500, 512)
    assert (ours - expected).abs().max() < 1e-4 * expected.abs().max()
