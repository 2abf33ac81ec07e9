"""Log-mel spectrograms as Whisper defines them, each utterance framed on its own.

Source: Radford et al., Robust Speech Recognition via Large-Scale Weak Supervision, 2022.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SAMPLE_RATE_HZ = 16_000
WINDOW = 400  # samples: 25 ms
HOP = 160  # samples: 10 ms, so 100 frames a second
REACH = WINDOW // 2  # samples mirrored at each end, so that frame t is centred on sample t * HOP
SHORTEST = REACH + 1  # samples that an utterance needs: one more than is mirrored at an end
FLOOR = 1e-10  # power below which everything counts as silence


def mel_frames(lengths: Tensor) -> Tensor:
    """Frames of utterances of `lengths` samples; Whisper leaves the last, cut one out.

    >>> mel_frames(torch.tensor([201, 16_000])).tolist()
    [1, 100]
    """
    return lengths // HOP


def log10_mel(waveforms: Tensor, lengths: Tensor, bins: int) -> Tensor:
    """Base-10 logarithm of the power in each mel band.

    Shape:
        waveforms: (B, S), 16 kHz
        lengths: (B,)
        output: (B, bins, F), float32; real for the first `mel_frames(lengths)` frames of a row
    """
    device = waveforms.device
    window = torch.hann_window(WINDOW, device=device)
    filters = torch.as_tensor(mel_filters(bins), device=device)
    with torch.autocast(device.type, enabled=False):  # a power spectrum overflows half floats
        spectrum = torch.stft(
            mirror_ends(waveforms.float(), lengths),
            WINDOW,
            HOP,
            window=window,
            center=False,
            return_complex=True,
        )
        power = filters @ spectrum[..., :-1].abs().square()
    return power.clamp(min=FLOOR).log10()


def mirror_ends(waveforms: Tensor, lengths: Tensor) -> Tensor:
    """Reflect `REACH` samples at each row's own two ends, wherever the second one lies.

    A row that is no longer than that, but gives a frame, is reflected at its other end again.

    Shape:
        waveforms: (B, S)
        output: (B, S + 2 * REACH)
    """
    positions = torch.arange(-REACH, waveforms.shape[1] + REACH, device=waveforms.device)
    last = (lengths - 1)[:, None]
    index = last - (last - positions.abs()[None, :]).abs()
    return waveforms.gather(1, index.clamp(min=0))


@cache
def mel_filters(bins: int) -> NDArray[np.float32]:
    """Slaney's triangular mel filters from 0 to 8 kHz, each of unit area.

    Shape:
        output: (bins, WINDOW // 2 + 1)
    """
    from transformers.audio_utils import mel_filter_bank

    filters = mel_filter_bank(
        num_frequency_bins=WINDOW // 2 + 1,
        num_mel_filters=bins,
        min_frequency=0.0,
        max_frequency=SAMPLE_RATE_HZ / 2,
        sampling_rate=SAMPLE_RATE_HZ,
        norm="slaney",
        mel_scale="slaney",
    )
    return np.ascontiguousarray(filters.T, dtype=np.float32)
