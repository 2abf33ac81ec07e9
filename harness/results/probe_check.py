"""Whether trained heads come near what a probe makes of the same frames."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from harness.results.records import Record
from harness.specs import PROBES
from harness.tasks import TASKS

TOLERANCE = 0.01
"""By how much a head may score less: one point."""


def probe_score(record: Record) -> float | None:
    """What the probe scores on the trial's test split, by the headline of its task."""
    if record.probe is None:
        return None
    return record.probe.metrics["test"].value(TASKS[record.trial.task].headline)


def under_probe(records: Sequence[Record]) -> bool:
    """Whether trials that ended well score more than a point less than their probes on average.

    Those without a probe, and probes themselves, are passed over.
    """
    missing = [
        reference - score
        for record in records
        if record.trial.head.kind not in PROBES
        and (reference := probe_score(record)) is not None
        and (score := record.metrics["test"].value(TASKS[record.trial.task].headline)) is not None
    ]
    return bool(missing) and fmean(missing) > TOLERANCE
