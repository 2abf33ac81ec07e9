"""Which trials are compared with which."""

from dataclasses import replace

import pandas as pd
from made_up import MadeUpRun, make_predictions, make_record, make_trial

from harness.results.comparison.trial_pairs import pair, same_test_set
from harness.results.records import Digests, Fingerprint

DIGESTS = Digests(weights="w", audio="a", split="s")


def test_trials_of_the_same_intent_are_a_pair(run: MadeUpRun) -> None:
    found = pair(run.records, run.records[::-1])
    assert {p.base.trial_id for p in found.both} == {record.trial_id for record in run.records}
    assert all(p.base == p.head for p in found.both)
    assert (found.changed, found.only_base, found.only_head) == ((), (), ())


def test_trials_that_one_side_lacks_are_listed(run: MadeUpRun) -> None:
    found = pair(run.records[:3], run.records[1:])
    assert len(found.both) == 2
    assert found.only_base == (run.records[0],)
    assert found.only_head == (run.records[3],)


def test_a_trial_with_other_settings_finds_the_one_it_came_from(run: MadeUpRun) -> None:
    trial = make_trial(training={"epochs": 7}, seed=1)
    head = make_record(trial, make_predictions(trial))
    (found,) = pair(run.records, [head]).both
    assert found.base.trial.seed == 1
    assert found.base.trial.fold == 1
    assert found.changes == ("training.epochs",)


def test_two_trials_that_share_a_label_are_not_guessed_at(run: MadeUpRun) -> None:
    trials = [make_trial(training={"epochs": epochs}, seed=1) for epochs in (7, 8)]
    head = [make_record(trial, make_predictions(trial)) for trial in trials]
    found = pair(run.records, head)
    assert found.both == ()
    assert len(found.only_head) == 2


def test_what_an_outcome_rested_on_is_compared(run: MadeUpRun) -> None:
    rested = Fingerprint(parts={"loss.dr": 1, "splits": 1}, packages={"torch": "2.13.0"})
    other = Fingerprint(parts={"loss.dr": 2, "splits": 1}, packages={"torch": "2.14.0"})
    base = run.records[0].model_copy(update={"digests": DIGESTS, "fingerprint": rested})
    head = base.model_copy(
        update={"digests": DIGESTS.model_copy(update={"audio": "b"}), "fingerprint": other}
    )
    (found,) = pair([base], [head]).both
    assert found.changes == ("audio", "loss.dr 1 → 2", "torch 2.13.0 → 2.14.0")


def test_trials_are_tested_alike_if_their_test_utterances_and_targets_are_the_same(
    run: MadeUpRun,
) -> None:
    (found, *_) = pair(run.records, run.records).both
    saved = run.saved[found.base.trial_id]

    def with_head(frame: pd.DataFrame) -> bool:
        return same_test_set(found, run.predictions, lambda _: frame)

    assert with_head(saved.sample(frac=1, random_state=0))
    assert with_head(saved.assign(p_sad=0.5))
    assert with_head(saved[saved["split"] != "dev"])
    assert not with_head(saved[:-1])
    assert not with_head(saved.assign(label="sad"))
    assert not with_head(saved.assign(utterance_id=saved["utterance_id"] + "x"))


def test_without_predictions_only_the_same_trial_is_tested_alike(run: MadeUpRun) -> None:
    def none_saved(trial_id: str) -> pd.DataFrame:
        raise FileNotFoundError(trial_id)

    (same, *_) = pair(run.records, run.records).both
    assert same_test_set(same, none_saved, none_saved)
    other = replace(same, head=run.records[1])
    assert not same_test_set(other, none_saved, none_saved)
    known = [r.model_copy(update={"digests": DIGESTS}) for r in run.records[:2]]
    assert same_test_set(replace(same, base=known[0], head=known[1]), none_saved, none_saved)


def test_trials_that_failed_are_no_outcome(run: MadeUpRun) -> None:
    failed = run.records[0].model_copy(update={"status": "failed"})
    found = pair(run.records[:1], [failed])
    assert found.both == ()
    assert found.only_base == (run.records[0],)
