"""Which corpora the backbones of a table had met before, told under it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from harness.data.known_corpora import plain
from harness.reporting.report_model import ReportRow
from harness.results.seen_before import AUDIO_SEEN, LABELS_SEEN, SEEN_UNKNOWN, Seen


def seen_notes(rows: Sequence[ReportRow]) -> list[str]:
    """One line a backbone for each kind of what it has seen; none where no row is flagged."""
    guessed = "Emotion labels seen by {}, as guesses of a network tuned on them"
    return [
        *_notes(rows, AUDIO_SEEN, "Audio heard in pretraining by {}", lambda seen: seen.audio),
        *_notes(rows, LABELS_SEEN, "Emotion labels seen by {}", lambda seen: seen.labels),
        *_notes(rows, LABELS_SEEN, guessed, lambda seen: seen.guessed),
        *_unknown(rows),
    ]


def _notes(
    rows: Sequence[ReportRow],
    flag: str,
    text: str,
    names: Callable[[Seen], Sequence[str] | None],
) -> list[str]:
    flagged = [row for row in rows if flag in row.flags]
    seen = {row.backbone: names(row.seen_before.seen) for row in flagged}
    return [
        f"{text.format(backbone)}: {', '.join(found)}; of the corpora here "
        f"{', '.join(_corpora(row for row in flagged if row.backbone == backbone))}."
        for backbone, found in seen.items()
        if found
    ]


def _corpora(rows: Iterable[ReportRow]) -> dict[str, None]:
    return dict.fromkeys(map(_corpus, rows))


def _corpus(row: ReportRow) -> str:
    """A corpus, and what it counts as where its name does not say so."""
    counts_as = row.seen_before.counts_as
    if plain(row.corpus) in map(plain, counts_as):
        return row.corpus
    return f"{row.corpus} ({' or '.join(counts_as)})" if counts_as else row.corpus


def _unknown(rows: Sequence[ReportRow]) -> list[str]:
    seen = {row.backbone: row.seen_before.seen for row in rows if SEEN_UNKNOWN in row.flags}
    unsaid = {
        backbone: [
            *["audio_seen"] * (found.audio is None),
            *["emotion_labels_seen"] * (found.labels is None),
        ]
        for backbone, found in seen.items()
    }
    return [f"Not said of {name}: {' and '.join(keys)}." for name, keys in unsaid.items()]
