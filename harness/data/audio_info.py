"""What each recording holds: its length, how loud it is and a digest of its sound.

Every file is decoded once; what it holds is kept with the file's size, its place on the disk and
its times of change, so that an unchanged corpus is not decoded a second time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from harness.data.audio import decode, mixed_down, sound_digest
from harness.data.container_lengths import check_length
from harness.data.sound_likeness import alike, envelope_of
from harness.data.utterances import Corpus, Utterance
from harness.errors import CorpusError
from harness.files import content_digest, parse_json, write_text

FORMAT = 4
THREADS = 2


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """Length, level and digest of an utterance's recording."""

    utterance_id: str
    duration_s: float | None
    peak: float | None
    """Largest absolute sample of any channel, full scale at 1."""
    sha256: str | None
    """Digest of the decoded samples, so the same sound in wav and in flac has the same."""
    heard_peak: float | None = None
    """How far what is heard, the mean of the channels, goes from its own mean."""
    envelope: str | None = None
    """How loud it is over time, by which copies that were written anew are known."""
    error: str | None = None
    """Why it could not be decoded; the other fields are then None."""


def inspect_audio(
    corpus: Corpus,
    cache_dir: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[AudioInfo]:
    """Decode every utterance that was not decoded before, and say what it holds.

    Args:
        corpus: What to decode.
        cache_dir: Where audio info is kept between runs; None keeps none.
        progress: Called after each utterance with how many are done, and of how many.

    Returns:
        One entry for each utterance, in the order of the corpus.
    """
    # of several stretches of a file, once
    check_whole = cache(lambda path: _check_whole(path, lambda: len(decode(path)[0])))
    file = cache_dir / f"{corpus.name}.json" if cache_dir else None
    known = _load(file) if file else {}
    audio_info: list[AudioInfo] = []
    fresh: dict[str, list[Any]] = {}
    try:
        with ThreadPoolExecutor(THREADS, thread_name_prefix="inspect") as pool:
            inspected = pool.map(
                lambda utterance: _inspect(utterance, known, check_whole), corpus.utterances
            )
            for done, (key, found) in enumerate(inspected, start=1):
                audio_info.append(found)
                if found.error is None and key not in known:
                    fresh[key] = list(astuple(found))[1:-1]
                if progress:
                    progress(done, len(corpus.utterances))
    finally:
        # of a large corpus that is interrupted, what was decoded need not be decoded again
        if file and fresh:
            _save(file, {**known, **fresh})
    return audio_info


def audio_digest(audio_info: Iterable[AudioInfo], ids: Iterable[str]) -> str:
    """One digest of the sound of the utterances in `ids`, whatever their order or place."""
    used = set(ids)
    return content_digest({f.utterance_id: f.sha256 for f in audio_info if f.utterance_id in used})


def same_sound(audio_info: Iterable[AudioInfo]) -> list[list[str]]:
    """The ids of utterances that are copies of one another, a list for each such sound.

    Copies have the same samples, or were written anew (see `harness.data.sound_likeness`).
    """
    from scipy.cluster.hierarchy import DisjointSet  # loads slowly

    heard = [info for info in audio_info if info.sha256 and info.peak]  # silence is no copy
    copies: DisjointSet[str] = DisjointSet(info.utterance_id for info in heard)
    first: dict[str | None, str] = {}
    for info in heard:
        copies.merge(first.setdefault(info.sha256, info.utterance_id), info.utterance_id)
    shaped = [info for info in heard if info.envelope and info.duration_s is not None]
    pairs = alike([str(i.envelope) for i in shaped], [i.duration_s or 0.0 for i in shaped])
    for one, other in pairs:
        copies.merge(shaped[one].utterance_id, shaped[other].utterance_id)
    return sorted(sorted(ids) for ids in copies.subsets() if len(ids) > 1)


def _check_whole(path: Path, heard_samples: Callable[[], int]) -> None:
    check_length(path, soundfile.info(path).format, heard_samples)


def _inspect(
    utterance: Utterance, known: Mapping[str, list[Any]], check_whole: Callable[[Path], None]
) -> tuple[str, AudioInfo]:
    """The key under which the audio info is kept, and the audio info."""
    key = _key(utterance)
    if key in known:
        return key, AudioInfo(utterance.utterance_id, *known[key])
    try:
        samples, rate_hz = decode(utterance.path, utterance.start_s, utterance.end_s)
        if utterance.start_s is utterance.end_s is None:
            _check_whole(utterance.path, lambda: len(samples))
        else:
            check_whole(utterance.path)
    except CorpusError as error:
        name = utterance.utterance_id
        return key, AudioInfo(name, duration_s=None, peak=None, sha256=None, error=str(error))
    heard = mixed_down(samples)
    swing = heard - heard.mean() if len(heard) else heard
    return key, AudioInfo(
        utterance_id=utterance.utterance_id,
        duration_s=len(samples) / rate_hz,
        peak=float(np.abs(samples).max(initial=0.0)),
        sha256=sound_digest(samples, rate_hz),
        heard_peak=float(np.abs(swing).max(initial=0.0)),
        envelope=envelope_of(heard, rate_hz),
    )


def _key(utterance: Utterance) -> str:
    """Says which segment of which state of which file; a changed file has another key."""
    path = utterance.path.resolve()
    try:
        state = path.stat()
        # a time of change can be set back, but not ctime, which says when it was
        known = (state.st_size, state.st_ino, state.st_mtime_ns, state.st_ctime_ns)
    except OSError:
        known = (0, 0, 0, 0)  # `decode` names what is wrong with it
    return "|".join(map(str, (path, *known, utterance.start_s, utterance.end_s)))


def _load(file: Path) -> dict[str, list[Any]]:
    """The audio info kept earlier; none from a damaged or older file, which can be made anew."""
    try:
        kept = parse_json(file.read_text(encoding="utf-8"))
        return dict(kept["audio_info"]) if kept["format"] == FORMAT else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _save(file: Path, audio_info: Mapping[str, list[Any]]) -> None:
    try:
        write_text(file, json.dumps({"format": FORMAT, "audio_info": audio_info}))
    except OSError:
        return  # what cannot be kept is decoded again next time
