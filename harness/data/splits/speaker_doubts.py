"""Signs that a column of speakers holds something else, for errors that may come from that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from harness.data.utterances import Utterance


def speaker_doubts(utterances: Sequence[Utterance]) -> str:
    """A question to whoever wrote the list, if the speakers look strange; else nothing.

    >>> from pathlib import Path
    >>> one = Utterance("a", Path("a.wav"), "sad", "sad")
    >>> speaker_doubts([one, Utterance("b", Path("b.wav"), "happy", "happy")])
    '; every speaker is called as the class: is the column of speakers right?'
    """
    known = [u for u in utterances if u.speaker is not None]
    speakers_of: dict[str, set[str]] = defaultdict(set)
    for utterance in known:
        speakers_of[utterance.stratum].add(str(utterance.speaker))
    speakers = {u.speaker for u in known}
    doubts = {
        "every speaker is called as the class": all(u.speaker == u.target for u in known),
        "all utterances have one speaker": len(speakers) == 1,
        "every utterance has a speaker of its own": len(speakers) == len(known),
        "each class has only one speaker": all(len(found) == 1 for found in speakers_of.values()),
    }
    found = next((text for text, holds in doubts.items() if holds), None)
    return f"; {found}: is the column of speakers right?" if known and found else ""
