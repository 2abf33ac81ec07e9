"""Whether a head had learned when it was kept."""

from dataclasses import replace
from typing import Any

import pytest
from made_up import FIT, make_predictions, make_record, make_trial

from harness.results.learning_check import MIN_STEPS, chosen_from, stopped_early
from harness.results.records import Candidate, Fit, ProbeScores, Record


def fitted(epochs: int, best: int, steps: int) -> Fit:
    curve = [replace(FIT.curve[0], epoch=number + 1) for number in range(epochs)]
    return FIT.model_copy(update={"curve": curve, "best_epoch": best, "steps": steps})


def record(**changes: Any) -> Record:
    trial = make_trial()
    return make_record(trial, make_predictions(trial), **changes)


@pytest.mark.parametrize(
    ("fit", "early"),
    [
        (fitted(epochs=10, best=10, steps=MIN_STEPS), False),
        (fitted(epochs=10, best=9, steps=MIN_STEPS), True),
        (fitted(epochs=30, best=1, steps=1000), True),
        (fitted(epochs=1, best=1, steps=8), True),
    ],
)
def test_the_steps_up_to_the_epoch_that_is_kept_count(fit: Fit, early: bool) -> None:
    assert stopped_early(record(fit=fit)) is early


def test_a_head_that_scores_less_on_train_than_the_probe_on_dev_has_not_learned() -> None:
    made = record(fit=fitted(epochs=30, best=20, steps=1000))
    low, high = (made.metrics["test"].model_copy(update={"uar": u}) for u in (0.5, 0.6))

    def with_scores(train: Any, dev: Any) -> Record:
        probe = ProbeScores(kind="knn", setting="k = 1", settings=3, metrics={"dev": dev})
        return made.model_copy(update={"probe": probe, "metrics": {**made.metrics, "train": train}})

    assert stopped_early(with_scores(low, high))
    assert not stopped_early(with_scores(high, low))
    assert not stopped_early(with_scores(high, high))


def test_nothing_is_said_of_probes_and_of_records_that_do_not_tell() -> None:
    assert not stopped_early(record())
    assert not stopped_early(record(fit=FIT.model_copy(update={"curve": [], "steps": 0})))


def test_settings_are_counted_over_candidates_and_those_of_a_probe() -> None:
    of_probe = FIT.model_copy(update={"settings": 7})
    two = [Candidate(settings={"head.dropout": 0.1 * n}, dev_score=0.5) for n in range(2)]
    assert chosen_from(record()) == 1
    assert chosen_from(record(candidates=two, chosen=0)) == 2
    assert chosen_from(record(fit=of_probe)) == 7
    assert chosen_from(record(fit=of_probe, candidates=two, chosen=0)) == 14
