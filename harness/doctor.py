"""Whether the backbones on this machine are whole and keep their contract.

A check measures one thing and gives back one `Check`; who prints them is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from backbones import BACKBONES, BackboneError, Location, canonical_name, load, locate, places_tried
from backbones.base import Backbone
from backbones.places import checkpoint_files
from harness.files import file_digest

TOLERANCE = 1e-4
"""How far an utterance's frames may lie apart, alone and in a batch, as a share of the largest
value in them. Trained layers carry values in the hundreds and magnify float32's rounding:
whisper-base differs by 5e-4 where its frames reach 18, and by 5e-13 in float64."""

SECONDS = (1.0, 1.2345, 3.0)
"""How long the utterances are that the contract is tried on."""


@dataclass(frozen=True)
class Check:
    """What one look at a backbone found."""

    backbone: str
    name: str
    detail: str
    """What was measured, or what is wrong."""
    ok: bool = True

    def line(self) -> str:
        """For a terminal or a log.

        >>> Check("whisper-base", "exact padding", "largest difference 2.1e-06").line()
        'whisper-base: exact padding: ok: largest difference 2.1e-06'
        """
        return f"{self.backbone}: {self.name}: {'ok' if self.ok else 'FAILED'}: {self.detail}"


def examine(names: Sequence[str] = ()) -> Iterator[Check]:
    """Every check of these backbones, each as soon as it is made; no network is asked.

    Args:
        names: any names of backbones; left out, all whose files are on this machine. One that
            is named and is not here fails.

    Raises:
        BackboneError: a name is unknown.
    """
    for name in dict.fromkeys(map(canonical_name, names)) or BACKBONES:
        yield from _examine(name, wanted=bool(names))


def _examine(name: str, wanted: bool) -> Iterator[Check]:
    try:
        location = locate(name)
    except BackboneError as error:
        yield Check(name, "files", str(error), ok=False)
        return
    if location is not None:
        yield Check(name, "files", f"{location.found_in}: {location.folder}")
        yield from _check_digests(name, location)
    elif BACKBONES[name].downloadable or not wanted:
        if wanted:
            tried = "; ".join(places_tried(name))
            yield Check(name, "files", f"not on this machine; looked at {tried}", ok=False)
        return
    yield from _check_loaded(name)


def _check_digests(name: str, location: Location) -> Iterator[Check]:
    """Files that the Hugging Face cache keeps under their SHA-256, compared with it."""
    published = {path: path.resolve().name for path in checkpoint_files(location.folder)}
    known = {path: digest for path, digest in published.items() if _is_digest(digest)}
    if not known:
        return
    damaged = [str(path) for path, digest in known.items() if file_digest(path) != digest]
    detail = f"not as published, fetch again: {', '.join(damaged)}" if damaged else "as published"
    yield Check(name, "bytes", detail, ok=not damaged)


def _is_digest(name: str) -> bool:
    return len(name) == 64 and set(name) <= set("0123456789abcdef")


def _check_loaded(name: str) -> Iterator[Check]:
    try:
        backbone = load(name, offline=True)
    except Exception as error:  # a sick backbone must not keep the others from being seen
        yield Check(name, "weights", _told(error), ok=False)
        return
    weights = backbone.weights
    yield Check(name, "weights", f"{weights.init}, verified; digest {weights.digest[:12]}")
    for title, check in CHECKS.items():
        try:
            yield Check(name, title, check(backbone))
        except Exception as error:
            yield Check(name, title, _told(error), ok=False)


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, BackboneError) else f"{type(error).__name__}: {error}"


def check_card(backbone: Backbone) -> str:
    """Dims, layers and parameters are those of the card."""
    card, dims = backbone.card, backbone(_noise(16_000)).last_hidden_state.shape[-1]
    found = (dims, len(backbone.layers), backbone.total_parameters())
    stated = (
        card.hidden_size,
        card.depth,
        found[2] if card.parameters is None else card.parameters,
    )
    _hold(found == stated, f"{_shape(*found)}, but its card says {_shape(*stated)}")
    return _shape(*found)


def check_frame_counts(backbone: Backbone) -> str:
    """As many frames as the arithmetic says, down to the shortest utterance."""
    counts = {samples: _frames(backbone, samples) for samples in _lengths(backbone)}
    for samples, found in counts.items():
        stated = int(backbone.frame_lengths(torch.tensor([samples])))
        rate = backbone.card.frame_rate_hz * samples / backbone.card.sample_rate_hz
        fits = found == stated and abs(found - rate) <= 1.5  # a frame's width may reach past an end
        _hold(fits, f"{samples} samples give {found} frames where {stated} are right")
    _hold(_refuses(backbone, backbone.minimum_samples - 1), "too short an utterance is not refused")
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
    said = f"largest difference {largest:.1e}, allowed {allowed:.1e} for values up to {scale:.3g}"
    _hold(largest <= allowed, f"frames depend on what is in the batch: {said}")
    return said


def check_numbers(backbone: Backbone) -> str:
    """Neither noise nor digital silence gives anything but numbers."""
    for kind, waveform in (("noise", _noise(16_000)), ("silence", torch.zeros(1, 16_000))):
        states = backbone(waveform, output_hidden_states=True).hidden_states
        wrong = [depth for depth, state in enumerate(states) if not state.isfinite().all()]
        _hold(not wrong, f"{kind} gives NaN or infinity from depth {min(wrong, default=0)} on")
    return "finite at every depth, for noise and for silence"


CHECKS: dict[str, Callable[[Backbone], str]] = {
    "card": check_card,
    "frame counts": check_frame_counts,
    "exact padding": check_padding,
    "numbers": check_numbers,
}
"""Each gives back what it measured, or raises BackboneError with what is wrong."""


def _hold(holds: bool, problem: str) -> None:
    if not holds:
        raise BackboneError(problem)


def _shape(dims: int, layers: int, parameters: int) -> str:
    return f"{dims} dims, {layers} layers, {parameters:,} parameters"


def _lengths(backbone: Backbone) -> list[int]:
    rate = backbone.card.sample_rate_hz
    return [backbone.minimum_samples, *(round(rate * seconds) for seconds in SECONDS)]


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
