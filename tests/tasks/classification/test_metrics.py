"""Scores agree with scikit-learn and with their formulas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from harness.tasks.classification.metrics import (
    frequency_groups,
    group_accuracy,
    score,
    score_predictions,
)

CLASSES = ["angry", "happy", "neutral", "sad"]
PAIRS = st.lists(
    st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)), min_size=1, max_size=40
)


@given(PAIRS)
def test_scores_are_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    labels, predicted = [a for a, _ in pairs], [b for _, b in pairs]
    found = score(labels, predicted, CLASSES)
    assert found.accuracy == sklearn_metrics.accuracy_score(labels, predicted)
    for average, value in (("macro", found.macro_f1), ("weighted", found.weighted_f1)):
        wanted = sklearn_metrics.f1_score(
            labels, predicted, labels=CLASSES, average=average, zero_division=0
        )
        assert value == pytest.approx(wanted)
    # scikit-learn warns of guessed classes that are not true ones, and of a single class
    if set(predicted) <= set(labels) and len(set(labels)) > 1:
        wanted = sklearn_metrics.balanced_accuracy_score(labels, predicted)
        assert found.uar == pytest.approx(wanted)
    assert np.sum(found.confusion) == found.utterances == len(labels)


@given(PAIRS)
def test_every_class_is_scored_by_its_formula(pairs: list[tuple[str, str]]) -> None:
    found = score([a for a, _ in pairs], [b for _, b in pairs], CLASSES)
    assert list(found.per_class) == CLASSES
    for index, name in enumerate(CLASSES):
        right = sum(pair == (name, name) for pair in pairs)
        true = sum(label == name for label, _ in pairs)
        guessed = sum(guess == name for _, guess in pairs)
        one = found.per_class[name]
        assert one.support == true == sum(found.confusion[index])
        assert one.recall == pytest.approx(right / true if true else 0)
        assert one.precision == pytest.approx(right / guessed if guessed else 0)
        assert one.f1 == pytest.approx(2 * right / (true + guessed) if true + guessed else 0)


def test_a_class_that_a_split_lacks_counts_nothing_in_macro_f1_and_is_left_out_of_uar() -> None:
    labels = ["angry", "sad", "sad"]
    found = score(labels, labels, CLASSES)
    assert (found.accuracy, found.uar, found.weighted_f1) == (1, 1, 1)
    assert found.macro_f1 == 2 / len(CLASSES)
    assert found.per_class["happy"].f1 == 0


def test_macro_f1_divides_by_the_same_number_whatever_classes_a_model_says() -> None:
    """Two of six are right, and those that are wrong are spread over one class or over three."""
    labels = ["angry"] * 3 + ["sad"] * 3
    one = score(labels, ["angry", *["happy"] * 2, "sad", *["happy"] * 2], CLASSES)
    three = score(labels, ["angry", "happy", "neutral", "sad", "happy", "neutral"], CLASSES)
    assert one.macro_f1 == three.macro_f1 == pytest.approx((1 / 2 + 1 / 2) / len(CLASSES))
    assert one.uar == three.uar == pytest.approx(1 / 3)


def test_rows_of_the_confusion_are_true_classes() -> None:
    found = score(["angry", "angry"], ["happy", "angry"], CLASSES)
    assert found.confusion[0] == [1, 1, 0, 0]


def test_frequent_middle_and_rare_classes_are_terciles_of_train() -> None:
    counts = {"angry": 300, "happy": 200, "neutral": 100}
    assert frequency_groups(counts) == {"angry": "frequent", "happy": "middle", "neutral": "rare"}
    labels = ["angry", "angry", "happy", "neutral"]
    found = score(labels, ["angry", "sad", "happy", "happy"], CLASSES, counts)
    assert (found.accuracy_frequent, found.accuracy_middle, found.accuracy_rare) == (0.5, 1.0, 0.0)


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 5), min_size=1))
def test_equally_frequent_classes_are_in_the_same_group(counts: dict[str, int]) -> None:
    groups = frequency_groups(counts)
    for one in counts:
        for other in counts:
            if counts[one] == counts[other]:
                assert groups[one] == groups[other]
    assert frequency_groups(dict(reversed(counts.items()))) == groups


def test_a_group_without_utterances_has_no_accuracy() -> None:
    assert group_accuracy(["happy"], ["happy"], {"angry": 9, "happy": 5, "sad": 1}) == {
        "frequent": None,
        "middle": 1.0,
        "rare": None,
    }
    assert score(["happy"], ["happy"], CLASSES).accuracy_middle is None


def test_the_most_probable_class_is_the_predicted_one() -> None:
    predictions = pd.DataFrame(
        {
            "utterance_id": ["a", "b"],
            "label": ["happy", "sad"],
            "p_happy": [0.9, 0.5],
            "p_sad": [0.1, 0.5],
        }
    )
    found = score_predictions(predictions, loss=0.3)
    assert found.confusion == [[1, 0], [1, 0]]
    assert found.loss == 0.3


def test_predictions_that_are_no_numbers_are_refused() -> None:
    predictions = pd.DataFrame({"label": ["happy"], "p_happy": [float("nan")], "p_sad": [0.5]})
    with pytest.raises(ValueError, match="not a number"):
        score_predictions(predictions)


@pytest.mark.parametrize(
    ("labels", "predicted", "message"),
    [
        ([], [], "no utterances"),
        (["sad"], [], "1 labels, but 0 predictions"),
        (["sad"], ["bored"], "not among the classes: bored"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    labels: list[str], predicted: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        score(labels, predicted, CLASSES)
