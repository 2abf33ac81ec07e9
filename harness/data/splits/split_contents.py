"""What each split of a fold holds, in few words that a record can keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.data.utterances import Splits, Utterance
from harness.files import content_digest


@dataclass(frozen=True)
class SplitContent:
    """Whom a split holds, and a digest of its utterances."""

    digest: str
    """Of their ids, targets, speakers and sound."""
    speakers: tuple[str, ...]
    """Those that are known, sorted."""


def split_content(utterances: Iterable[Utterance]) -> SplitContent:
    """What one split holds.

    >>> from pathlib import Path
    >>> split_content([Utterance("a", Path("a.wav"), "sad", speaker="03")]).speakers
    ('03',)
    """
    held = list(utterances)
    content = {u.utterance_id: [u.target, u.speaker, u.sha256] for u in held}
    speakers = sorted({u.speaker for u in held if u.speaker is not None})
    return SplitContent(content_digest(content), tuple(speakers))


def sentences_shared(splits: Splits, utterances: Mapping[str, Utterance]) -> float | None:
    """The share of test's utterances that say what one of train says; letters alone count.

    Args:
        splits: one fold's train, dev and test
        utterances: those of the corpus, by id

    Returns:
        Of the test utterances whose text is known; None if there is none, or none in train.
    """
    learned = {_letters(utterances[name].text) for name in splits.train} - {""}
    tested = [text for name in splits.test if (text := _letters(utterances[name].text))]
    if not learned or not tested:
        return None
    return sum(text in learned for text in tested) / len(tested)


def _letters(text: str | None) -> str:
    """A text without case, punctuation and spaces."""
    return "".join(mark for mark in (text or "").casefold() if mark.isalnum())
