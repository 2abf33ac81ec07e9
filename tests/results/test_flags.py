"""What qualifies a score."""

from typing import Any

from harness.results.flags import DATA_FLAGS, FLAG_MEANINGS, flags
from harness.specs import BackboneSpec, CorpusSpec


def test_the_labels_are_those_of_the_corpus_scored_on(empty_run: Any, trial: Any) -> None:
    record = empty_run.add(trial(), emotion_labels_seen=["EMO-DB"])
    assert flags([record.trial], [record]) == []
    assert flags([record.trial], [record], CorpusSpec(name="emodb")) == ["LABELS SEEN"]


def test_every_flag_has_a_meaning(empty_run: Any, trial: Any) -> None:
    """The count of an incomplete group is no part of the flag's name."""
    random = BackboneSpec(name="wavlm-base", init="random")
    limited = trial(limit_utterances=40).model_copy(update={"backbone": random})
    record = empty_run.add(limited, partial_corpus=True, speaker_overlap=True)
    found = flags([limited, trial()], [record], unstable_cost=True)
    assert found == [
        "RANDOM", "LIMITED", "PARTIAL", "SPEAKER OVERLAP", "INCOMPLETE 1 of 2", "UNSTABLE",
    ]  # fmt: skip
    assert {flag.partition(" 1 of")[0] for flag in found} <= set(FLAG_MEANINGS)
    assert set(DATA_FLAGS) <= set(FLAG_MEANINGS)
