"""What qualifies a score, so that a reader does not trust it too far."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from harness.results.class_balance import is_skewed, lacked
from harness.results.learning_check import chosen_from, stopped_early
from harness.results.probe_check import under_probe
from harness.results.records import Record
from harness.specs import Trial

FLAG_MEANINGS = {
    "RANDOM": "the backbone has random weights, not pretrained ones.",
    "AUDIO SEEN": "the backbone heard recordings of this corpus in pretraining.",
    "LABELS SEEN": "the backbone was tuned on emotion labels of this corpus before, or on the "
    "guesses of a network that was.",
    "SEEN UNKNOWN": "nobody says which corpora these weights heard or whose labels they saw: write "
    "`audio_seen: [...]` and `emotion_labels_seen: [...]` beside the backbone in the suite, empty "
    "for none.",
    "LIMITED": "run on part of the corpus (--limit-utterances).",
    "PARTIAL": "recordings of the corpus are missing on this machine.",
    "SPEAKER OVERLAP": "train and test may share speakers, as the suite allows.",
    "SENTENCES SHARED": "at least half of the test utterances say what train says too: how new "
    "sentences fare is not known.",
    "TEST LACKS CLASS": "a test split lacks a class of the corpus, which macro-F1 counts as 0.",
    "TEST SKEWED": "more than 60 % of a test split is of one class: look at UAR, not at accuracy.",
    "STOPPED EARLY": "the epoch that is kept came before the head had learned: after fewer than "
    "100 optimiser steps, or with less on train than the probe has on dev.",
    "CHOSEN FROM": "dev chose among so many settings; rows that chose among more have an edge.",
    "COPIES UNCHECKED": "the recordings of train are not here: whether they are among those scored "
    "was not checked.",
    "MIXED": "trials ran on different devices, in different precision, with different packages or "
    "by different versions of the program.",
    "MIXED ROWS": "learned in another precision, on another device or with other packages than "
    "most rows of its corpus.",
    "FOLDS DIFFER": "tested on other folds or utterances than most rows of its corpus, so that "
    "their scores cannot be set side by side.",
    "STALE": "trials that rest on other recordings, labels or weights than now are left out.",
    "UNDER PROBE": "more than 1 point below the probe on the same frames: the head has not learned "
    "what they hold.",
    "UNSTABLE": "its speeds scatter, or others used the machine; costs.md says more.",
    "INCOMPLETE": "trials failed or are missing; the scores are those of the others.",
}


DATA_FLAGS = ("LIMITED", "PARTIAL", "SPEAKER OVERLAP", "TEST LACKS CLASS", "TEST SKEWED")
"""Those on the data alone, which qualify what guessing scores too."""


def flags(
    trials: Sequence[Trial],
    records: Sequence[Record],
    *,
    seen: Iterable[str] = (),
    unstable_cost: bool = False,
    stale: int = 0,
) -> list[str]:
    """The flags of some planned trials with these outcomes.

    Args:
        trials: every trial that is planned or has a record
        records: the outcomes that are there, failed ones included
        seen: those on what the backbone met before, from `seen_before`
        unstable_cost: whether the speeds beside the scores are not to be relied on
        stale: how many of the trials were left out since they rest on something else than now
    """
    done = [record for record in records if record.status == "ok"]
    chosen = max(map(chosen_from, done), default=1)
    found = {
        "RANDOM": any(trial.backbone.init == "random" for trial in trials)
        or any(record.random_weights for record in records),
        **dict.fromkeys(seen, True),
        "LIMITED": any(trial.limit_utterances is not None for trial in trials),
        "PARTIAL": any(record.partial_corpus for record in records),
        "SPEAKER OVERLAP": any(record.speaker_overlap for record in records),
        "SENTENCES SHARED": any((record.sentences_shared or 0.0) >= 0.5 for record in done),
        "TEST LACKS CLASS": any(map(lacked, done)),
        "TEST SKEWED": any(map(is_skewed, done)),
        "STOPPED EARLY": any(map(stopped_early, done)),
        f"CHOSEN FROM {chosen}": chosen > 1,
        "COPIES UNCHECKED": any(r.scored and not r.scored.sounds_compared for r in done),
        "MIXED": len({_circumstances(record) for record in done}) > 1,
        "UNDER PROBE": under_probe(done),
        f"STALE {stale}": stale > 0,
        f"INCOMPLETE {len(done)} of {len(trials)}": len(done) < len(trials),
        "UNSTABLE": unstable_cost,
    }
    return [flag for flag, holds in found.items() if holds]


def flag_name(flag: str) -> str:
    """A flag without its counts.

    >>> flag_name("INCOMPLETE 1 of 2"), flag_name("MIXED ROWS")
    ('INCOMPLETE', 'MIXED ROWS')
    """
    return re.split(r" (?=\d)", flag)[0]


def _circumstances(record: Record) -> tuple[object, ...]:
    """What trials of one mean should have in common beside their settings."""
    return (
        record.fit.precision if record.fit else None,
        record.environment.get("device_name"),
        program_of(record),
        str(record.fingerprint),
    )


def program_of(record: Record) -> str:
    """The program that an outcome came from, in few words: its revision and its sources.

    Nothing rests on it: it tells readers that rows were not all made by the same.
    """
    revision = record.environment.get("revision")
    source = record.environment.get("source") or (record.digests and record.digests.code)
    named = f"revision {str(revision)[:12]}{'+changes' * str(revision).endswith('+changes')}"
    return f"{named if revision else 'no revision'}, sources {str(source or 'unknown')[:8]}"


def programs_of(records: Iterable[Record]) -> dict[str, int]:
    """How many of the finished trials came from each program, in the order of their start."""
    done = sorted((r for r in records if r.status == "ok"), key=lambda r: r.started_at)
    return dict(Counter(program_of(record) for record in done))
