"""Made-up speakers, for machines with no data: speech-like sound that carries an emotion.

A source-filter voice (Fant 1960): a pulse train, softened by a spectral tilt and shaped by three
formants, in syllables. Emotion moves pitch, contour, tempo and loudness; but the speakers' own
pitches lie further apart than that, so absolute pitch alone settles nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from scipy.signal import lfilter

from harness.data.audio import SAMPLE_RATE_HZ
from harness.data.corpora import CORPORA
from harness.data.utterances import Corpus, Utterance, make_corpus
from harness.files import atomic_path, cache_folder
from harness.specs import CorpusSpec

Signal = npt.NDArray[np.float64]

TAKES = 8


@dataclass(frozen=True)
class Voice:
    """A speaker: pitch at rest, and the length of the vocal tract as a factor on formants."""

    pitch_hz: float
    formant_scale: float


@dataclass(frozen=True)
class Manner:
    """What an emotion does to a voice."""

    pitch: float
    """Factor on the pitch at rest."""
    swing: float
    """Height of the pitch's rise and fall within a syllable, in octaves."""
    slope: float
    """Octaves that the pitch climbs over the utterance."""
    syllable_s: float
    level_db: float
    tilt: float
    """Softness of the voice, 0 (pressed) to 1 (breathy)."""


SPEAKERS = {
    "s1": Voice(92.0, 0.97),
    "s2": Voice(208.0, 1.07),
    "s3": Voice(118.0, 1.02),
    "s4": Voice(182.0, 1.04),
    "s5": Voice(104.0, 0.98),
    "s6": Voice(231.0, 1.09),
    "s7": Voice(135.0, 1.00),
    "s8": Voice(164.0, 1.05),
}
EMOTIONS = {
    "angry": Manner(1.25, 0.30, -0.60, 0.13, -15.0, 0.05),
    "happy": Manner(1.35, 0.70, 0.50, 0.16, -18.0, 0.50),
    "neutral": Manner(1.00, 0.12, 0.00, 0.22, -21.0, 0.82),
    "sad": Manner(0.90, 0.04, -0.30, 0.36, -26.0, 0.97),
}
VOWELS_HZ = (
    (730.0, 1090.0, 2440.0),
    (530.0, 1840.0, 2480.0),
    (270.0, 2290.0, 3010.0),
    (570.0, 840.0, 2410.0),
    (300.0, 870.0, 2240.0),
)
"""The first three formants of /a e i o u/ (Peterson and Barney 1952)."""

_BANDWIDTHS_HZ = (80.0, 110.0, 160.0)
_NOISE_DB = -52.0


def read(root: Path | None, spec: CorpusSpec) -> Corpus:
    """List 8 speakers x 4 emotions x 8 takes, writing what is not yet in the cache."""
    # the reader's version is in the name, so that no old file is taken for a new one
    folder = root or cache_folder(f"synthetic-v{CORPORA['synthetic'].version}")
    return make_corpus(
        spec.name,
        (
            Utterance(
                f"{speaker}-{label}-{take}", _file(folder, speaker, label, take), label, speaker
            )
            for speaker, label, take in product(SPEAKERS, EMOTIONS, range(1, TAKES + 1))
        ),
    )


def synthesise(speaker: str, label: str, take: int) -> Signal:
    """One take of a speaker in an emotion, at 16 kHz; the same samples every time.

    Shape:
        - Output: `(S,)`, about 1 to 1.6 s, full scale at ±1.
    """
    seed = [list(SPEAKERS).index(speaker), list(EMOTIONS).index(label), take]
    rng = np.random.default_rng(seed)
    voice, manner = SPEAKERS[speaker], _vary(EMOTIONS[label], rng)
    syllables = max(3, round(rng.uniform(1.05, 1.5) / manner.syllable_s))
    lengths = (manner.syllable_s * rng.uniform(0.85, 1.15, syllables) * SAMPLE_RATE_HZ).astype(int)
    pulses = _pulses(voice, manner, lengths, rng)
    cuts = np.cumsum(lengths)[:-1]
    spoken = [_syllable(part, voice, manner, rng) for part in np.split(pulses, cuts)]
    return _level(np.concatenate(spoken), manner.level_db, rng)


def _vary(manner: Manner, rng: np.random.Generator) -> Manner:
    """No two takes are alike: the emotions overlap in every single trait."""
    return Manner(
        pitch=manner.pitch * 2 ** rng.normal(0, 0.08),
        swing=manner.swing * 2 ** rng.normal(0, 0.3),
        slope=manner.slope + rng.normal(0, 0.10),
        syllable_s=manner.syllable_s * 2 ** rng.normal(0, 0.10),
        level_db=manner.level_db + rng.normal(0, 3.0),
        tilt=float(np.clip(manner.tilt + rng.normal(0, 0.03), 0.0, 0.98)),
    )


def _pulses(
    voice: Voice, manner: Manner, lengths: npt.NDArray[np.int_], rng: np.random.Generator
) -> Signal:
    """One pulse per glottal cycle: wherever the phase passes a whole turn."""
    within = np.concatenate([np.sin(np.pi * np.arange(n) / n) for n in lengths])
    along = np.linspace(-0.5, 0.5, len(within))
    octaves = manner.swing * within + manner.slope * along
    pitch_hz = voice.pitch_hz * manner.pitch * 2**octaves
    phase = np.cumsum(pitch_hz / SAMPLE_RATE_HZ) + rng.uniform()
    return np.diff(np.floor(phase), prepend=np.floor(phase[0]))


def _syllable(pulses: Signal, voice: Voice, manner: Manner, rng: np.random.Generator) -> Signal:
    """A burst of breath, then a vowel that swells and fades."""
    breath = rng.normal(0, 0.01 + 0.15 * manner.tilt**4, len(pulses))
    sound = lfilter([1 - manner.tilt], [1, -manner.tilt], pulses + breath)
    vowel = VOWELS_HZ[rng.integers(len(VOWELS_HZ))]
    for formant_hz, bandwidth_hz in zip(vowel, _BANDWIDTHS_HZ, strict=True):
        sound = _resonate(sound, formant_hz * voice.formant_scale, bandwidth_hz)
    envelope = np.sin(np.pi * (np.arange(len(sound)) + 0.5) / len(sound)) ** 0.7
    sound *= envelope
    spoken: Signal = sound / (np.sqrt(np.mean(sound**2)) + 1e-9)
    return spoken


def _resonate(sound: Signal, centre_hz: float, bandwidth_hz: float) -> Signal:
    radius = np.exp(-np.pi * bandwidth_hz / SAMPLE_RATE_HZ)
    angle = 2 * np.pi * centre_hz / SAMPLE_RATE_HZ
    poles = [1, -2 * radius * np.cos(angle), radius**2]
    resonated: Signal = lfilter([sum(poles)], poles, sound)
    return resonated


def _level(sound: Signal, level_db: float, rng: np.random.Generator) -> Signal:
    """Set the loudness, and lay the hiss of a room under it."""
    loud = sound * 10 ** (level_db / 20) / np.sqrt(np.mean(sound**2))
    hiss = rng.normal(0, 10 ** (_NOISE_DB / 20), len(sound))
    clipped: Signal = np.clip(loud + hiss, -1, 1)
    return clipped


def _file(folder: Path, speaker: str, label: str, take: int) -> Path:
    """The take's recording, written whole under a name of its own and then moved into place."""
    path = folder / f"{speaker}-{label}-{take}.flac"
    if not path.is_file():
        with atomic_path(path) as temporary:
            soundfile.write(
                temporary, synthesise(speaker, label, take), SAMPLE_RATE_HZ, format="FLAC"
            )
    return path
