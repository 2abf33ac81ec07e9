"""What qualifies a score."""

from typing import Any

from made_up import CLASSES, FIT

from harness.results.flags import DATA_FLAGS, FLAG_MEANINGS, flag_name, flags
from harness.results.records import Candidate, Scoring
from harness.results.seen_before import SEEN_FLAGS
from harness.specs import BackboneSpec, CorpusSpec
from harness.tasks.classification.metrics import score


def scoring(corpus: CorpusSpec | None, sounds_compared: bool = True) -> Scoring:
    return Scoring(
        corpus=corpus,
        known_outputs=CLASSES,
        model="m",
        sounds_compared=sounds_compared,
        environment={},
    )


def test_every_flag_has_a_meaning(empty_run: Any, trial: Any) -> None:
    """The count of an incomplete group is no part of the flag's name."""
    random = BackboneSpec(name="wavlm-base", init="random")
    limited = trial(limit_utterances=40).model_copy(update={"backbone": random})
    record = empty_run.add(limited, partial_corpus=True, speaker_overlap=True)
    found = flags([limited, trial()], [record], seen=SEEN_FLAGS, unstable_cost=True)
    assert found == [
        "RANDOM", *SEEN_FLAGS, "LIMITED", "PARTIAL", "SPEAKER OVERLAP",
        "INCOMPLETE 1 of 2", "UNSTABLE",
    ]  # fmt: skip
    assert {flag.partition(" 1 of")[0] for flag in found} <= set(FLAG_MEANINGS)
    assert set(DATA_FLAGS) <= set(FLAG_MEANINGS)


def test_what_the_test_split_and_the_fit_are_like_is_flagged(empty_run: Any, trial: Any) -> None:
    two = [Candidate(settings={"head.dropout": 0.1 * n}, dev_score=0.5) for n in range(2)]
    uneven = score(["sad"] * 4 + ["happy"], ["sad"] * 5, CLASSES)
    record = empty_run.add(
        trial(), sentences_shared=0.5, metrics={"test": uneven}, fit=FIT, candidates=two, chosen=1
    )
    unlike = empty_run.add(trial(fold=2), sentences_shared=0.4)
    found = flags([record.trial, unlike.trial], [record, unlike])
    assert found == [
        "SENTENCES SHARED", "TEST LACKS CLASS", "TEST SKEWED", "STOPPED EARLY", "CHOSEN FROM 2",
        "MIXED",
    ]  # fmt: skip
    assert {flag_name(flag) for flag in found} <= set(FLAG_MEANINGS)
    assert flags([unlike.trial], [unlike]) == []


def test_what_was_scored_without_a_look_at_train_is_flagged(empty_run: Any, trial: Any) -> None:
    unchecked = scoring(CorpusSpec(name="emodb"), sounds_compared=False)
    record = empty_run.add(trial(), scored=unchecked)
    assert flags([record.trial], [record]) == ["COPIES UNCHECKED"]
