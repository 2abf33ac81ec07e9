"""Test splits that hold their classes unevenly."""

from collections.abc import Sequence

import pytest
from made_up import CLASSES, make_record, make_trial

from harness.results.class_balance import is_skewed, lacked, lacking_classes
from harness.results.records import Record, Scoring
from harness.specs import CorpusSpec
from harness.tasks.classification.metrics import score


def outcome_on(labels: Sequence[str]) -> Record:
    scores = score(labels, labels, CLASSES)
    return make_record(make_trial(), None, status="ok", metrics={"test": scores})


@pytest.mark.parametrize(
    ("counts", "lacking", "skewed"),
    [
        ((1, 1, 1), (), False),
        ((3, 1, 1), (), False),  # 60 % is not over 60 %
        ((31, 10, 9), (), True),
        ((1, 0, 1), ("happy",), False),
        ((5, 0, 0), ("happy", "sad"), True),
    ],
)
def test_a_class_that_lacks_or_fills_a_test_split_is_seen(
    counts: tuple[int, ...], lacking: tuple[str, ...], skewed: bool
) -> None:
    record = outcome_on([n for n, c in zip(CLASSES, counts, strict=True) for _ in range(c)])
    assert (lacked(record), is_skewed(record)) == (lacking, skewed)


def test_an_outcome_that_failed_lacks_nothing() -> None:
    record = make_record(make_trial(), None)
    assert (lacked(record), is_skewed(record)) == ((), False)


def test_a_split_is_named_by_where_it_was_scored() -> None:
    record = outcome_on(["sad", "happy"])
    assert lacking_classes([record]) == {"ravdess fold 1": ("angry",)}
    scored = Scoring(
        corpus=CorpusSpec(name="emodb"),
        known_outputs=CLASSES,
        model="m",
        sounds_compared=True,
        environment={},
    )
    elsewhere = record.model_copy(update={"scored": scored})
    assert lacking_classes([elsewhere]) == {"emodb": ("angry",)}
