"""Kaldi's log-mel filter bank as w2v-BERT hears it, each utterance normalised on its own.

Source: Povey et al., The Kaldi Speech Recognition Toolkit, 2011; transformers'
SeamlessM4TFeatureExtractor has the constants.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from backbones.nn.padding import frames_after, valid_mask

SAMPLE_RATE_HZ = 16_000
WINDOW = 400  # samples: 25 ms
HOP = 160  # samples: 10 ms, so 100 frames a second
SPECTRUM = 512  # samples that each frame is filled up to with zeros
BANDS = 80
LOWEST_HZ = 20
FULL_SCALE = 2.0**15  # Kaldi counts in the steps of 16-bit samples
PRE_EMPHASIS = 0.97
ROUNDING = 0.85  # the exponent that makes a Hann window Povey's
FLOOR = 1.192092955078125e-07  # power below which everything counts as silence: 2 ** -23
EPSILON = 1e-7  # keeps a band that never changes at 0


def fbank_frames(lengths: Tensor) -> Tensor:
    """Frames of utterances of `lengths` samples: whole windows alone.

    >>> fbank_frames(torch.tensor([399, 400, 559, 560, 16_000])).tolist()
    [0, 1, 1, 2, 98]
    """
    return frames_after(lengths, [(WINDOW, HOP)])


def normalised_fbank(waveforms: Tensor, lengths: Tensor) -> Tensor:
    """Log-mel energies, each band with mean 0 and variance 1 over an utterance's own frames.

    Shape:
        waveforms: (B, S), 16 kHz
        lengths: (B,), each of at least two frames
        output: (B, F, BANDS), float32; 0 beyond the first `fbank_frames(lengths)` frames of a row
    """
    counts = fbank_frames(lengths)
    energies = log_mel(waveforms)
    real = valid_mask(counts, energies.shape[1])[..., None]
    own = counts[:, None, None]
    centred = (energies - (energies * real).sum(1, keepdim=True) / own) * real
    variance = centred.square().sum(1, keepdim=True) / (own - 1)
    return (centred * torch.rsqrt(variance + EPSILON)).float()


def log_mel(waveforms: Tensor) -> Tensor:
    """Natural logarithm of the power in each mel band, of every whole window.

    In float64: pre-emphasis leaves of a strong low sound no more than what float32 rounds away,
    and a band that hardly changes is magnified a thousandfold.

    Shape:
        waveforms: (B, S)
        output: (B, F, BANDS), float64
    """
    device = waveforms.device
    hann = torch.hann_window(WINDOW, periodic=False, device=device, dtype=torch.float64)
    frames = FULL_SCALE * waveforms.double().unfold(1, WINDOW, HOP)
    frames = frames - frames.mean(-1, keepdim=True)
    before = pad(frames[..., :-1], (1, 0))  # for the first sample any, as the window is 0 there
    emphasised = (frames - PRE_EMPHASIS * before) * hann**ROUNDING
    power: Tensor = torch.fft.rfft(emphasised, SPECTRUM).abs().square()
    filters = torch.as_tensor(mel_filters(), device=device)
    return (power @ filters).clamp(min=FLOOR).log()


@cache
def mel_filters() -> NDArray[np.float64]:
    """Triangular filters on Kaldi's mel scale, up to 8 kHz, each 1 at its peak.

    Shape:
        output: (SPECTRUM // 2 + 1, BANDS)
    """
    from transformers.audio_utils import mel_filter_bank

    filters: NDArray[np.float64] = mel_filter_bank(
        num_frequency_bins=SPECTRUM // 2 + 1,
        num_mel_filters=BANDS,
        min_frequency=LOWEST_HZ,
        max_frequency=SAMPLE_RATE_HZ / 2,
        sampling_rate=SAMPLE_RATE_HZ,
        norm=None,
        mel_scale="kaldi",
        triangularize_in_mel_space=True,
    )
    return filters
