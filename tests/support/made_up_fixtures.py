"""Made-up outcomes of a small run: two backbones, two depths, two folds, two seeds."""

from collections.abc import Callable

import pytest
from made_up import MadeUpRun, make_cost, make_trial

from harness.results.records import CostRecord
from harness.specs import Trial


@pytest.fixture(scope="session")
def _complete() -> MadeUpRun:
    made = MadeUpRun(costs=[make_cost()])
    # out of order, as trial ids on disk are
    for seed in (2, 1):
        for layers in (3, 0):
            for backbone in ("emotion2vec_plus_base", "wavlm-base"):
                for fold in (1, 2):
                    made.add(make_trial(backbone, fold, finetune_layers=layers, seed=seed))
    return made


@pytest.fixture
def run(_complete: MadeUpRun) -> MadeUpRun:
    """A complete run with costs of one backbone at depth 0."""
    # the outcomes are immutable; only the lists are each test's own
    return MadeUpRun(
        trials=[*_complete.trials],
        records=[*_complete.records],
        costs=[*_complete.costs],
        saved={**_complete.saved},
    )


@pytest.fixture
def trial() -> Callable[..., Trial]:
    """Makes a trial: `trial("wavlm-base", fold=2, loss="dr")`."""
    return make_trial


@pytest.fixture
def cost() -> Callable[..., CostRecord]:
    """Makes a cost record: `cost("wavlm-base", 3, device="cuda")`."""
    return make_cost


@pytest.fixture
def empty_run() -> MadeUpRun:
    """A run without any trial yet."""
    return MadeUpRun()
