"""What another process makes of a unit of work; it can import this module, but no test."""

from quiet import Quiet

from harness.data.prepared_corpus import prepare_corpus
from harness.runs.events import Event
from harness.runs.session import Session
from harness.runs.work_units import WorkUnit


def all_events(unit: WorkUnit, limit_utterances: int) -> list[Event]:
    """All that happens, from reading the corpus to the last trial."""
    prepared = prepare_corpus(unit.corpus, limit_utterances, Quiet())
    return list(Session(unit, prepared).run())
