import pytest
import torch

from backbones.nn.mel import HOP, REACH, SHORTEST, log10_mel, mel_filters, mel_frames, mirror_ends


def test_each_row_is_mirrored_at_its_own_end() -> None:
    lengths = torch.tensor([500, 300])
    waveforms = torch.randn(2, 500)
    mirrored = mirror_ends(waveforms, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone = torch.nn.functional.pad(
            waveforms[row : row + 1, :length], (REACH, REACH), "reflect"
        )
        assert torch.equal(mirrored[row : row + 1, : length + 2 * REACH], alone)


@pytest.mark.parametrize("bins", [80, 128])
def test_a_tone_lights_up_the_band_it_lies_in(bins: int) -> None:
    seconds = torch.arange(16_000) / 16_000
    tone = torch.sin(2 * torch.pi * 1000 * seconds)[None]
    energies = log10_mel(tone, torch.tensor([16_000]), bins)[0, :, 10:-10]
    band = energies.mean(1).argmax()
    peak_hz = 40 * mel_filters(bins)[band].argmax()  # the spectrum's bins are 40 Hz apart
    assert abs(peak_hz - 1000) <= 40


def test_a_hundred_frames_a_second() -> None:
    lengths = torch.tensor([SHORTEST, 16_000, 16_000 + HOP])
    assert mel_frames(lengths).tolist() == [1, 100, 101]
