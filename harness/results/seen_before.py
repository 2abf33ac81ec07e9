"""Which corpora a backbone has met before it is scored on them: their sound, or their labels.

Nothing of it is frozen into records: a card that is put right, or a suite that says more, holds for
finished trials too.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from backbones import BACKBONES, BackboneCard, BackboneError
from harness.data.known_corpora import (
    NOT_PUBLISHED,
    collection,
    corpora_in_name,
    known_corpus,
    plain,
)
from harness.results.records import Record
from harness.results.seen_statements import SeenStatement, SeenStatements
from harness.specs import BackboneSpec, CorpusSpec, ListedCorpus

EMOBOX = "emobox"
"""The reader of EmoBox's lists, and the collection of all of their corpora."""

AUDIO_SEEN, LABELS_SEEN, SEEN_UNKNOWN = SEEN_FLAGS = ("AUDIO SEEN", "LABELS SEEN", "SEEN UNKNOWN")

NOTHING_SAID = SeenStatements()


@dataclass(frozen=True)
class Seen:
    """Names of what the weights of a backbone have met; None where nobody says."""

    audio: tuple[str, ...] | None
    """Corpora whose recordings they heard in pretraining."""
    labels: tuple[str, ...] | None
    """Corpora whose emotion labels they were tuned on."""
    guessed: tuple[str, ...] = ()
    """Corpora on whose labels the network was tuned that guessed those they were tuned on."""


NOTHING = Seen((), ())
UNKNOWN = Seen(None, None)


@dataclass(frozen=True)
class SeenBefore:
    """A backbone's past, and what of it is the corpus of a row."""

    seen: Seen
    counts_as: tuple[str, ...]
    """The published corpora that the row's corpus is, or may be."""
    flags: tuple[str, ...]
    """Those of SEEN_FLAGS that hold."""


def seen_before(
    backbone: BackboneSpec,
    corpus: CorpusSpec,
    records: Iterable[Record] = (),
    said: SeenStatements = NOTHING_SAID,
) -> SeenBefore:
    """What a backbone may have met of a corpus.

    Args:
        backbone: as trials name it
        corpus: what it is scored on
        records: outcomes of it; what they noted counts where no card is known here
        said: what the suite says of both
    """
    seen = what_was_seen(backbone, records, said)
    published = published_corpora(corpus, said)
    any_list = corpus.reader == EMOBOX and not published and _known_as(corpus, said) is None

    def met(names: Iterable[str] | None) -> bool:
        return any(_means(name, corpus, published, any_list=any_list) for name in names or ())

    flags = {
        AUDIO_SEEN: met(seen.audio),
        LABELS_SEEN: met(seen.labels) or met(seen.guessed),
        SEEN_UNKNOWN: None in (seen.audio, seen.labels),
    }
    return SeenBefore(
        seen, tuple(sorted(published)), tuple(flag for flag, holds in flags.items() if holds)
    )


def what_was_seen(
    backbone: BackboneSpec, records: Iterable[Record] = (), said: SeenStatements = NOTHING_SAID
) -> Seen:
    """What the weights of a backbone have met: as the suite says it, else as its card does.

    Random weights have met nothing. Of a user's own weights only the suite can tell.
    """
    if backbone.init == "random" or any(record.random_weights for record in records):
        return NOTHING
    known = _known_seen(backbone, records)
    stated = said.backbones.get(backbone.name, SeenStatement())
    labels = stated.emotion_labels_seen
    return Seen(
        known.audio if stated.audio_seen is None else stated.audio_seen,
        known.labels if labels is None else labels,
        known.guessed if labels is None else (),
    )


def seen_by_card(card: BackboneCard) -> Seen:
    """What a card says of published weights; one that is silent on what was heard leaves it open.

    >>> seen_by_card(BACKBONES["emotion2vec_plus_base"]).guessed
    ('EmoBox',)
    """
    if not card.downloadable:
        return NOTHING
    labels = card.emotion_labels_seen
    says_labels = labels or card.pseudo_labels_of or card.pretrained_on
    return Seen(card.pretrained_on or None, labels if says_labels else None, card.pseudo_labels_of)


def published_corpora(corpus: CorpusSpec, said: SeenStatements = NOTHING_SAID) -> frozenset[str]:
    """Which published corpora a corpus is: as it is said, else by its reader, else by its name.

    >>> sorted(published_corpora(CorpusSpec(name="acted", kind="emodb")))
    ['EMO-DB']
    >>> sorted(published_corpora(CorpusSpec(name="my_crema-d", kind="manifest")))
    ['CREMA-D']
    """
    known_as = _known_as(corpus, said)
    if known_as is not None:
        named = None if plain(known_as) == NOT_PUBLISHED else known_corpus(known_as)
        return frozenset({named} if named else ())
    if read := known_corpus(corpus.reader):
        return frozenset({read})
    lists = [Path(corpus.manifest).stem] if corpus.manifest and corpus.reader == EMOBOX else []
    return frozenset().union(*map(corpora_in_name, (corpus.name, *lists)))


def _known_as(corpus: CorpusSpec, said: SeenStatements) -> str | None:
    own = corpus.known_as if isinstance(corpus, ListedCorpus) else None
    return own or said.known_as.get(corpus.name)


def _means(seen: str, corpus: CorpusSpec, published: frozenset[str], *, any_list: bool) -> bool:
    """Whether a name of what was seen is this corpus, or a collection with it.

    `any_list` says that it is a list of EmoBox's, and nobody knows of which corpus.
    """
    if members := collection(seen):
        return bool(members & published) or (any_list and plain(seen) == EMOBOX)
    if named := known_corpus(seen):
        return named in published
    return plain(seen) == plain(corpus.name)


def _known_seen(backbone: BackboneSpec, records: Iterable[Record]) -> Seen:
    if card := _published_card(backbone):
        return seen_by_card(card)
    if backbone.kind or backbone.source is not None:
        return UNKNOWN
    # of a package that is not installed here
    noted = (r.emotion_labels_seen for r in records if r.emotion_labels_seen is not None)
    labels = next(noted, None)
    return Seen(None, None if labels is None else tuple(labels))


def _published_card(backbone: BackboneSpec) -> BackboneCard | None:
    """The card whose published weights these are; None if they are the user's own."""
    if backbone.kind:
        source = (backbone.source or "").lower()
        return next((card for card in BACKBONES.values() if source in _repositories(card)), None)
    card = _card(backbone.name)
    if card is None or backbone.source is None or _is_copy(Path(backbone.source), card):
        return card
    return None


def _repositories(card: BackboneCard) -> list[str]:
    return [name.lower() for name in (card.huggingface, card.modelscope) if name]


def _is_copy(folder: Path, card: BackboneCard) -> bool:
    """Whether a folder is called as a backbone, by itself or as hubs' caches call it."""
    cached = folder.parent.parent.name.removeprefix("models--").replace("--", "/")
    called = [found.name for name in (folder.name, cached) if (found := _card(name))]
    return card.name in called or card.stored_as in called


def _card(name: str) -> BackboneCard | None:
    with suppress(BackboneError):
        return BACKBONES[BACKBONES.canonical_name(name)]
    return None
