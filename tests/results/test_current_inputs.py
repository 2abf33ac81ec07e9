"""Which finished trials rest on other data or weights than lie there now."""

from typing import Any

from made_up import MadeUpRun, make_trial

from harness.results.current_inputs import CurrentInputs, stale_trials
from harness.results.records import Digests
from harness.specs import BackboneSpec, CorpusSpec, ProtocolSpec

NOTHING_KNOWN = CurrentInputs()


def digests(**changes: str | None) -> Digests:
    content: dict[str, Any] = {"weights": "w", "audio": "a", "split": "s", "data": "d"}
    return Digests(**content | changes)


def test_of_trials_that_disagree_the_newest_count(empty_run: MadeUpRun) -> None:
    old = empty_run.add(make_trial(fold=1), digests=digests(data="old"))
    empty_run.add(make_trial(fold=2), digests=digests(), started_at="2026-02-01T00:00:00+00:00")
    assert stale_trials(empty_run.records, NOTHING_KNOWN) == {old.trial_id: ("data",)}


def test_what_lies_there_now_counts_before_the_newest(empty_run: MadeUpRun) -> None:
    first = empty_run.add(make_trial(fold=1), digests=digests(data="old", weights="w1"))
    second = empty_run.add(
        make_trial(fold=2),
        digests=digests(weights="w2"),
        started_at="2026-02-01T00:00:00+00:00",
    )
    now = NOTHING_KNOWN.updated([(first.trial, digests(data="old", weights="w1"))])
    assert stale_trials(empty_run.records, now) == {second.trial_id: ("data", "weights")}


def test_other_corpora_protocols_backbones_and_limits_need_not_agree(empty_run: MadeUpRun) -> None:
    others = (
        {"corpus": CorpusSpec(name="emodb")},
        {"corpus": CorpusSpec(name="ravdess", labels={"sad": "low"})},
        {"protocol": ProtocolSpec(folds=3)},
        {"limit_utterances": 20},
    )
    for index, changes in enumerate([{}, *others]):
        empty_run.add(make_trial(**changes), digests=digests(data=f"d{index}"))
    random = BackboneSpec(name="wavlm-base", init="random")
    other = make_trial().model_copy(update={"backbone": random})
    empty_run.add(other, digests=digests(weights="random", data="d0"))
    assert stale_trials(empty_run.records, NOTHING_KNOWN) == {}


def test_the_place_of_a_corpus_and_the_folds_run_beside_do_not_tell_it_apart(
    empty_run: MadeUpRun,
) -> None:
    moved = {
        "corpus": CorpusSpec(name="ravdess", root="elsewhere"),
        "protocol": ProtocolSpec(folds=2, only_folds=(1,), dev_speakers=1),
    }
    old = empty_run.add(make_trial(fold=2), digests=digests(data="old"))
    empty_run.add(
        make_trial(fold=1, **moved), digests=digests(), started_at="2026-02-01T00:00:00+00:00"
    )
    assert stale_trials(empty_run.records, NOTHING_KNOWN) == {old.trial_id: ("data",)}


def test_records_that_do_not_say_what_they_rest_on_are_taken_as_they_are(
    empty_run: MadeUpRun,
) -> None:
    empty_run.add(make_trial(fold=1), digests=digests(data=None))
    empty_run.add(make_trial(fold=2), digests=digests())
    empty_run.add(make_trial(fold=2, seed=2))
    empty_run.add(make_trial(fold=1, seed=2), status="failed")
    assert stale_trials(empty_run.records, NOTHING_KNOWN) == {}


def test_what_is_known_of_other_corpora_is_kept() -> None:
    other = make_trial(corpus=CorpusSpec(name="emodb"))
    known = NOTHING_KNOWN.updated([(make_trial(), digests())])
    later = known.updated([(other, digests(data="other"))])
    assert sorted(later.data.values()) == ["d", "other"]
    assert dict(later.weights) == dict(known.weights)
