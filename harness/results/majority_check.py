"""Whether every backbone learned anything at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

from harness.results.records import Record
from harness.results.trial_groups import TrialGroup, group_trials


def shortfalls(records: Iterable[Record]) -> list[str]:
    """One line for each corpus and backbone whose best cell does not beat the majority class.

    The score is accuracy on test, the one in which guessing the majority does best.
    """
    by_backbone: dict[tuple[str, str], list[TrialGroup]] = {}
    for cell in group_trials(records):
        by_backbone.setdefault((cell.corpus, cell.backbone), []).append(cell)
    found = (_shortfall(*names, groups) for names, groups in by_backbone.items())
    return [line for line in found if line]


def _shortfall(corpus: str, backbone: str, groups: Sequence[TrialGroup]) -> str | None:
    scored = [_accuracies(cell) for cell in groups if cell.finished]
    if not scored:
        return f"{backbone} on {corpus}: no trial ended well"
    best, guess = max(scored, key=lambda pair: pair[0] - pair[1])
    if best > guess:
        return None
    return (
        f"{backbone} on {corpus}: accuracy {best:.3f} does not beat guessing the majority "
        f"class, {guess:.3f}"
    )


def _accuracies(cell: TrialGroup) -> tuple[float, float]:
    learned = fmean(record.metrics["test"].accuracy for record in cell.finished)
    guessed = fmean(
        record.baselines.majority.accuracy for record in cell.finished if record.baselines
    )
    return learned, guessed
