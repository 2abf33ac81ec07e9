"""The check that nothing which should be new to a model was there when it was trained or tuned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from math import inf
from pathlib import Path

from harness.data.audio_info import AudioInfo, same_sound
from harness.data.readers.audio_files import shortened
from harness.data.utterances import Corpus, Splits, Utterance
from harness.errors import CorpusError
from harness.files import content_digest

OVERLAP_TOLERANCE_S = 0.02
"""By how much stretches may overlap, as lists round their times."""


def check(
    splits: Splits,
    corpus: Corpus,
    overlap_allowed: bool = False,
    audio_info: Iterable[AudioInfo] = (),
) -> None:
    """Refuse splits that share an utterance, a speaker, a sound or a part of a recording.

    Args:
        splits: One fold's train, dev and test.
        corpus: Holds their utterances.
        overlap_allowed: Whether the suite says `speaker_overlap: allowed`. It lets speakers
            pass, never the very same recording.
        audio_info: Digests of the recordings; without them sounds are not compared.

    Raises:
        CorpusError: names what is shared, and by which splits.
    """
    utterances = corpus.by_id()
    _refuse_shared(splits, {name: name for name in utterances}, "utterances", corpus.name, "")
    if not overlap_allowed:
        _refuse_shared(
            splits,
            {name: utterance.speaker for name, utterance in utterances.items()},
            "speakers",
            corpus.name,
            "To accept that, write `speaker_overlap: allowed` under this corpus.",
        )
    _refuse_shared(
        splits,
        _overlapping(corpus, {name for ids in splits.named().values() for name in ids}),
        "parts of a recording",
        corpus.name,
        "Their stretches overlap: mend their times, or leave one of them out.",
    )
    _refuse_shared(
        splits,
        _copies(audio_info),
        "identical recordings",
        corpus.name,
        "Leave the copies out with `quality: {duplicate: exclude}` under this corpus.",
    )


def split_digest(splits: Splits, corpus: Corpus) -> str:
    """A digest of which utterance is in which split, of its target and its speaker."""
    utterances = corpus.by_id()
    return content_digest(
        {
            split: {name: [utterances[name].target, utterances[name].speaker] for name in ids}
            for split, ids in splits.named().items()
        }
    )


def _copies(audio_info: Iterable[AudioInfo]) -> dict[str, str]:
    """Utterances whose sound occurs more than once -> the names of all that share it."""
    return {name: " = ".join(names) for names in same_sound(audio_info) for name in names}


def _overlapping(corpus: Corpus, used: Collection[str]) -> dict[str, str]:
    """Of the utterances that are used, those whose stretches overlap -> all that hang together."""
    by_file: dict[object, list[Utterance]] = defaultdict(list)
    for utterance in corpus.utterances:
        if utterance.utterance_id in used:
            by_file[_file(utterance.path)].append(utterance)
    found: dict[str, str] = {}
    for stretches in by_file.values():
        if all(u.start_s is u.end_s is None for u in stretches):
            continue  # whole files that are listed twice are told when the list is read
        for together in _runs(sorted(stretches, key=lambda u: u.start_s or 0.0)):
            names = " and ".join(utterance.utterance_id for utterance in together)
            found |= {utterance.utterance_id: names for utterance in together}
    return found


def _file(path: Path) -> object:
    """What a file and all links to it have in common."""
    try:
        state = path.stat()
    except OSError:
        return path
    return state.st_dev, state.st_ino


def _runs(in_order: Sequence[Utterance]) -> Iterator[list[Utterance]]:
    """Stretches that follow one another without a gap between them, where there are several."""
    together: list[Utterance] = []
    end_s = -inf
    for utterance in in_order:
        if (utterance.start_s or 0.0) >= end_s - OVERLAP_TOLERANCE_S:
            if len(together) > 1:
                yield together
            together = []
        together.append(utterance)
        end_s = max(end_s, inf if utterance.end_s is None else utterance.end_s)
    if len(together) > 1:
        yield together


def _refuse_shared(
    splits: Splits, trait_of: Mapping[str, str | None], what: str, corpus: str, remedy: str
) -> None:
    traits = {
        split: {trait_of.get(name) for name in ids} - {None}
        for split, ids in splits.named().items()
    }
    for one, other in combinations(traits, 2):
        shared = sorted(str(trait) for trait in traits[one] & traits[other])
        if shared:
            raise CorpusError(
                f"corpus {corpus!r}: {one} and {other} share {what}: {shortened(shared)}. {remedy}"
            )
