"""Whether a trained head had learned when it was kept, and from how much it was chosen."""

from __future__ import annotations

from harness.results.records import Record
from harness.tasks import TASKS

MIN_STEPS = 100
"""Optimiser steps before which no head is known to have learned; a suite aims at 1,000."""


def stopped_early(record: Record) -> bool:
    """Whether the epoch that was kept came before the head had learned.

    That is after fewer than `MIN_STEPS` optimiser steps, or while it scored less on train than
    the probe does on dev, whose speakers the probe has not heard. Probes have no epochs.
    """
    fit = record.fit
    if fit is None or not fit.curve:
        return False
    return fit.steps * fit.best_epoch < MIN_STEPS * len(fit.curve) or _under_probe(record)


def chosen_from(record: Record) -> int:
    """From how many settings dev chose those of a trial; 1 if there was no choice."""
    of_head = record.fit.settings if record.fit else None
    return max(len(record.candidates), 1) * (of_head or 1)


def _under_probe(record: Record) -> bool:
    """Older records do not say what train scores."""
    train, metric = record.metrics.get("train"), TASKS[record.trial.task].headline
    if record.probe is None or train is None:
        return False
    reference, score = record.probe.metrics["dev"].value(metric), train.value(metric)
    return reference is not None and score is not None and score < reference
