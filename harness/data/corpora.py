"""The corpora the harness can read. A plain table: nothing is opened here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CorpusCard:
    """What is known about a corpus before it is read."""

    kind: str
    """Name of the reader."""
    module: str
    """Module with `read(root, spec) -> Corpus`, which lists and labels without decoding audio."""
    summary: str
    licence: str
    utterances: int | None = None
    """How many recordings the whole corpus has, where that is fixed."""
    speakers: int | None = None
    classes: tuple[str, ...] = ()
    emobox_folds: int | None = None
    """How many speaker-disjoint folds EmoBox publishes for it."""
    needs_root: bool = True
    version: int = 1
    """Raised when the reader lists other utterances, labels, speakers or folds than before."""
    fetchable: bool = False
    """Whether `harness prefetch` knows where to get it."""


CORPORA: dict[str, CorpusCard] = {
    "ravdess": CorpusCard(
        kind="ravdess",
        module="harness.data.readers.ravdess",
        summary="RAVDESS speech: 24 actors, 8 emotions, two sentences, English",
        licence="CC BY-NC-SA 4.0",
        utterances=1440,
        speakers=24,
        classes=(
            "angry",
            "calm",
            "disgust",
            "fearful",
            "happy",
            "neutral",
            "sad",
            "surprised",
        ),
        emobox_folds=6,
        fetchable=True,
    ),
    "emodb": CorpusCard(
        kind="emodb",
        module="harness.data.readers.emodb",
        summary="Berlin EMO-DB: 10 speakers, 7 emotions, German",
        licence="CC0",
        utterances=535,
        speakers=10,
        classes=("anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness"),
        fetchable=True,
    ),
    "manifest": CorpusCard(
        kind="manifest",
        module="harness.data.readers.manifest",
        summary="your own recordings, listed in a CSV, JSONL or Parquet file",
        licence="yours",
    ),
    "emobox": CorpusCard(
        kind="emobox",
        module="harness.data.readers.emobox",
        summary="recordings listed by EmoBox's JSONL files, with its folds",
        licence="of each corpus",
    ),
    "synthetic": CorpusCard(
        kind="synthetic",
        module="harness.data.readers.synthetic",
        summary="made-up speakers whose pitch, contour and tempo carry the emotion; needs no data",
        licence="Apache-2.0",
        utterances=256,
        speakers=8,
        classes=("angry", "happy", "neutral", "sad"),
        needs_root=False,
    ),
}
