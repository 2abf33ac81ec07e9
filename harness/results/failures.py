"""What did not end well, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.config.trial_names import TrialNames
from harness.results.records import CostRecord, Record, Status


@dataclass(frozen=True)
class Failure:
    """A trial that did not end well."""

    trial_id: str
    trial: str
    """The trial in words."""
    status: Status
    error: str | None
    """The last line of its traceback."""

    def line(self) -> str:
        """All of it on one line."""
        error = " ".join((self.error or "no message").split())
        return f"{self.trial_id}: {self.trial}: {self.status}: {error}"


def failures(records: Iterable[Record], names: TrialNames) -> tuple[Failure, ...]:
    """The trials that did not end well, in the order of the records.

    Args:
        records: outcomes
        names: what their trials are called
    """
    return tuple(
        Failure(record.trial_id, names.of(record.trial), record.status, error_line(record))
        for record in records
        if record.status != "ok"
    )


def error_line(record: Record | CostRecord) -> str | None:
    """The last line of a failed record's traceback: what went wrong."""
    lines = (record.error or "").strip().splitlines()
    return lines[-1].strip() if lines else None
