"""What every backbone promises, measured on a loaded one.

A check gives back what it measured, or raises BackboneError with what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import torch
from torch import Tensor

from backbones import BackboneError
from backbones.base import Backbone

TOLERANCE = 1e-4
"""How far an utterance's frames may lie apart, alone and in a batch, as a share of the largest
value in them. Trained layers carry values in the hundreds and magnify float32's rounding:
whisper-base differs by 5e-4 where its frames reach 18, and by 5e-13 in float64."""

SECONDS = (1.0, 1.2345, 3.0)
"""How long the utterances are that the contract is tried on."""


def check_card(backbone: Backbone) -> str:
    """Dims, layers and parameters are those of the card."""
    card, dims = backbone.card, backbone(_noise(16_000)).last_hidden_state.shape[-1]
    found = (dims, len(backbone.layers), backbone.total_parameters())
    stated = (
        card.hidden_size,
        card.depth,
        found[2] if card.parameters is None else card.parameters,
    )
    _require(found == stated, f"{_shape(*found)}, but its card says {_shape(*stated)}")
    return _shape(*found)


def check_frame_counts(backbone: Backbone) -> str:
    """As many frames as the arithmetic says, down to the shortest utterance."""
    counts = {samples: _frames(backbone, samples) for samples in _lengths(backbone)}
    for samples, found in counts.items():
        stated = int(backbone.frame_lengths(torch.tensor([samples])))
        rate = backbone.card.frame_rate_hz * _padded_s(backbone, samples)
        fits = found == stated and abs(found - rate) < 2  # a frame's width may reach past an end
        _require(fits, f"{samples} samples give {found} frames where {stated} are right")
    _require(
        _refuses(backbone, backbone.minimum_samples - 1), "too short an utterance is not refused"
    )
    return ", ".join(f"{samples} samples: {found}" for samples, found in counts.items())


def check_padding(backbone: Backbone) -> str:
    """An utterance's frames are the same alone and beside longer ones."""
    lengths = _lengths(backbone)
    waveforms = _noise(max(lengths)).repeat(len(lengths), 1)
    mask = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    together = backbone(waveforms, mask).last_hidden_state
    differences, values = [], []
    for row, samples in enumerate(lengths):
        alone = backbone(waveforms[row : row + 1, :samples]).last_hidden_state[0]
        differences.append((together[row, : len(alone)] - alone).abs().max())
        values.append(alone.abs().max())
    largest, scale = (float(torch.stack(of).max()) for of in (differences, values))
    allowed = TOLERANCE * max(1.0, scale)
    measured = (
        f"largest difference {largest:.1e}, allowed {allowed:.1e} for values up to {scale:.3g}"
    )
    _require(largest <= allowed, f"frames depend on what is in the batch: {measured}")
    return measured


def check_numbers(backbone: Backbone) -> str:
    """Neither noise nor digital silence gives anything but numbers."""
    for kind, waveform in (("noise", _noise(16_000)), ("silence", torch.zeros(1, 16_000))):
        states = backbone(waveform, output_hidden_states=True).hidden_states
        wrong = [depth for depth, state in enumerate(states) if not state.isfinite().all()]
        _require(not wrong, f"{kind} gives NaN or infinity from depth {min(wrong, default=0)} on")
    return "finite at every depth, for noise and for silence"


CHECKS: dict[str, Callable[[Backbone], str]] = {
    "card": check_card,
    "frame counts": check_frame_counts,
    "exact padding": check_padding,
    "numbers": check_numbers,
}
"""Each gives back what it measured, or raises BackboneError with what is wrong."""


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise BackboneError(problem)


def _shape(dims: int, layers: int, parameters: int) -> str:
    return f"{dims} dims, {layers} layers, {parameters:,} parameters"


def _lengths(backbone: Backbone) -> list[int]:
    rate = backbone.card.sample_rate_hz
    return [backbone.minimum_samples, *(round(rate * seconds) for seconds in SECONDS)]


def _padded_s(backbone: Backbone, samples: int) -> float:
    """How long an utterance is once the zeros that its backbone adds are counted."""
    seconds, whole_s = samples / backbone.card.sample_rate_hz, backbone.card.pads_to_s
    return seconds if whole_s is None else whole_s * ceil(seconds / whole_s)


def _frames(backbone: Backbone, samples: int) -> int:
    return int(backbone(_noise(samples)).last_hidden_state.shape[1])


def _noise(samples: int) -> Tensor:
    return 0.1 * torch.randn(1, samples, generator=torch.Generator().manual_seed(0))


def _refuses(backbone: Backbone, samples: int) -> bool:
    try:
        _frames(backbone, samples)
    except BackboneError:
        return True
    return False
