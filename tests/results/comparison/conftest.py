"""Two results folders, made up."""

from collections.abc import Callable
from pathlib import Path

import pytest
from made_up import MadeUpRun, make_trial

from harness.results.store import ResultsStore

Folder = Callable[[str, MadeUpRun], ResultsStore]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Writes a run's outcomes as a run leaves them: `folder("base", run)`."""

    def write(name: str, run: MadeUpRun) -> ResultsStore:
        store = ResultsStore(tmp_path / name)
        store.prepare()
        for record in run.records:
            store.write_trial(record, run.saved.get(record.trial_id))
        for cost in run.costs:
            store.write_cost(cost)
        return store

    return write


@pytest.fixture
def run() -> MadeUpRun:
    """Two folds and two seeds of one backbone."""
    made = MadeUpRun()
    for fold in (1, 2):
        for seed in (1, 2):
            made.add(make_trial(fold=fold, seed=seed))
    return made
