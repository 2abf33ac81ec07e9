"""What a reader must be told of a score before trusting it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.records.schema import Record
from harness.report.contamination import has_seen_labels
from harness.suite.schema import CorpusSpec, Trial

MEANINGS = {
    "RANDOM": "the backbone has random weights, not pretrained ones.",
    "LABELS SEEN": "the backbone was tuned on emotion labels of this corpus before, or on guessed "
    "ones that may be of it.",
    "LIMITED": "run on part of the corpus (--limit-utterances).",
    "PARTIAL": "recordings of the corpus are missing on this machine.",
    "SPEAKER OVERLAP": "train and test may share speakers, as the suite allows.",
    "MIXED": "trials ran on different devices, in different precision or by different programs.",
    "UNSTABLE": "its speeds scatter, or others used the machine; costs.md says more.",
    "INCOMPLETE": "trials failed or are missing; the scores are those of the others.",
}


def marks(
    trials: Sequence[Trial], records: Sequence[Record], scored_on: CorpusSpec | None = None
) -> list[str]:
    """The marks of some planned trials with these outcomes.

    Args:
        trials: every trial that is planned or has a record
        records: the outcomes that are there, failed ones included
        scored_on: the corpus of the scores, where it is not the trials' own
    """
    done = [record for record in records if record.status == "ok"]
    found = {
        "RANDOM": any(trial.backbone.init == "random" for trial in trials)
        or any(record.random_weights for record in records),
        "LABELS SEEN": any(has_seen_labels(r, scored_on or r.trial.corpus) for r in records),
        "LIMITED": any(trial.limit_utterances is not None for trial in trials),
        "PARTIAL": any(record.partial_corpus for record in records),
        "SPEAKER OVERLAP": any(record.speaker_overlap for record in records),
        "MIXED": len({_circumstances(record) for record in done}) > 1,
        f"INCOMPLETE {len(done)} of {len(trials)}": len(done) < len(trials),
    }
    return [mark for mark, holds in found.items() if holds]


def _circumstances(record: Record) -> tuple[object, ...]:
    """What trials of one mean should have in common beside their settings."""
    return (
        record.fit.precision if record.fit else None,
        record.environment.get("device_name"),
        record.digests.code if record.digests else None,
    )
