import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import SeamlessM4TFeatureExtractor

from backbones.families.w2v_bert.fbank import fbank_frames, log_mel, normalised_fbank

SECONDS = torch.arange(16_000) / 16_000
SOUNDS = {
    "noise": 0.1 * torch.randn(16_000, generator=torch.Generator().manual_seed(0)),
    "hum under noise": 0.5
    + 0.4 * torch.sin(2 * torch.pi * 60 * SECONDS)
    + 1e-4 * torch.randn(16_000, generator=torch.Generator().manual_seed(1)),
    "silence": torch.zeros(16_000),
}


def reference(waveform: Tensor, normalised: bool) -> Tensor:
    features = SeamlessM4TFeatureExtractor()(
        waveform.numpy(),
        sampling_rate=16_000,
        return_tensors="np",
        pad_to_multiple_of=None,
        do_normalize_per_mel_bins=normalised,
    )
    return torch.as_tensor(np.asarray(features["input_features"][0])).reshape(-1, 80)


@pytest.mark.parametrize("sound", SOUNDS)
def test_energies_are_those_of_transformers(sound: str) -> None:
    waveform = SOUNDS[sound]
    ours = log_mel(waveform[None])[0].float()
    torch.testing.assert_close(ours, reference(waveform, normalised=False), rtol=0, atol=1e-5)


@pytest.mark.parametrize("length", [560, 719, 1000, 15_999])
def test_normalised_energies_are_those_of_transformers(length: int) -> None:
    waveform = SOUNDS["noise"][:length]
    ours = normalised_fbank(waveform[None], torch.tensor([length]))[0]
    assert len(ours) == fbank_frames(torch.tensor(length))
    torch.testing.assert_close(ours, reference(waveform, normalised=True), rtol=0, atol=1e-4)


@pytest.mark.parametrize("sound", SOUNDS)
def test_a_row_is_normalised_over_its_own_frames(sound: str) -> None:
    lengths = torch.tensor([16_000, 7000, 560])
    rows = [SOUNDS[sound][:length] for length in lengths]
    together = normalised_fbank(torch.nn.utils.rnn.pad_sequence(rows, batch_first=True), lengths)
    for row, length, beside in zip(rows, lengths, together, strict=True):
        alone = normalised_fbank(row[None], length[None])[0]
        torch.testing.assert_close(beside[: len(alone)], alone, rtol=0, atol=1e-6)
        assert not beside[len(alone) :].any()


def test_silence_is_zero() -> None:
    features = normalised_fbank(torch.zeros(1, 4000), torch.tensor([4000]))
    torch.testing.assert_close(features, torch.zeros(1, 23, 80), rtol=0, atol=1e-6)
