"""What readers must know of the scores of kept models that were scored again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.reporting.report_model import Report
from harness.results.records import Record, Scoring


def as_scored(report: Report, records: Sequence[Record]) -> Report:
    """The report with where the scores are from; of any other results the report as it is.

    Args:
        report: of the records
        records: outcomes of trials, or of kept models that were all scored in one place
    """
    found = [(record, record.scored) for record in records if record.scored is not None]
    if not found:
        return report
    record, scoring = found[0]
    if scoring.corpus is None:
        return replace(report, title=f"{record.suite}: kept models, scored again")
    name = scoring.corpus.name
    fewer = any(record.classes != scoring.known_outputs for record, scoring in found)
    return replace(
        report,
        title=f"{record.suite}: kept models on all of {name}{', among its own classes' * fewer}",
        rows=tuple(replace(row, corpus=f"{row.corpus} → {name}") for row in report.rows),
        rankings=tuple(replace(r, corpus=f"{r.corpus} → {name}") for r in report.rankings),
        curves=tuple(replace(curve, corpus=f"{curve.corpus} → {name}") for curve in report.curves),
        footnotes=(*_notes(found, name), *report.footnotes),
    )


def _notes(found: Sequence[tuple[Record, Scoring]], corpus: str) -> tuple[str, ...]:
    """On what the models were scored, and among which outputs they choose."""
    return tuple(dict.fromkeys(_note(record, scoring, corpus) for record, scoring in found))


def _note(record: Record, scoring: Scoring, corpus: str) -> str:
    learned, chosen, known = record.trial.corpus.name, record.classes, scoring.known_outputs
    among = "all of their" if chosen == known else f"{len(chosen)} of {len(known)}"
    return (
        f"{learned} → {corpus}: models that learned from folds of {learned} are scored on all "
        f"{record.metrics['test'].utterances} utterances of {corpus}; they choose among {among} "
        f"outputs: {', '.join(chosen)}."
    )
