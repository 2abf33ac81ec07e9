"""The check that nothing which should be new to a model was there when it was trained or tuned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations

from harness.data.audio_info import AudioInfo, same_sound
from harness.data.readers.audio_files import shortened
from harness.data.utterances import Corpus, Splits
from harness.errors import CorpusError
from harness.files import content_digest


def check(
    splits: Splits,
    corpus: Corpus,
    overlap_allowed: bool = False,
    audio_info: Iterable[AudioInfo] = (),
) -> None:
    """Refuse splits that share an utterance, a speaker or a sound.

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
