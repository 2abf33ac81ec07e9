"""Whether a backbone has seen the emotion labels that a score is measured with."""

from __future__ import annotations

from harness.records.schema import Record
from harness.suite.schema import CorpusSpec

EMOBOX = "emobox"
"""Named on a card for all corpora that EmoBox lists, and the reader of those lists."""
PSEUDO = "pseudo"
"""In the name of labels that a network guessed: of which recordings, nobody can tell."""


def has_seen_labels(record: Record, corpus: CorpusSpec) -> bool:
    """Whether the backbone of a trial may have been tuned on labels of this corpus.

    Names are compared without case and signs: "EMO-DB" is the corpus emodb, and my_emodb too.
    """
    return any(_may_mean(seen, corpus) for seen in record.emotion_labels_seen or ())


def _may_mean(seen: str, corpus: CorpusSpec) -> bool:
    label, names = _plain(seen), (_plain(corpus.name), _plain(corpus.reader))
    listed = EMOBOX in label and corpus.reader == EMOBOX
    return PSEUDO in label or listed or any(label in name for name in names)


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
