"""What guessing scores."""

from itertools import product
from statistics import fmean

import pytest

from harness.tasks.classification.baselines import baselines
from harness.tasks.classification.metrics import score

CLASSES = ["angry", "happy", "sad"]
TRAIN = ["angry"] * 10 + ["happy"] * 20 + ["sad"] * 5
TEST = ["angry"] * 4 + ["happy"] * 7 + ["sad"] * 2


def test_chance_is_the_average_over_every_way_to_guess() -> None:
    labels = ["angry", "happy", "happy", "sad"]
    chance = baselines(TRAIN, labels, CLASSES)["chance"]
    guesses = [score(labels, guess, CLASSES) for guess in product(CLASSES, repeat=len(labels))]
    for metric in ("accuracy", "uar", "weighted_f1", "macro_f1"):
        average = fmean(getattr(guess, metric) for guess in guesses)
        assert getattr(chance, metric) == pytest.approx(average)
    for name in CLASSES:
        for part in ("precision", "recall", "f1"):
            average = fmean(getattr(guess.per_class[name], part) for guess in guesses)
            assert getattr(chance.per_class[name], part) == pytest.approx(average)


def test_chance_accuracy_and_uar_are_one_in_the_number_of_classes() -> None:
    chance = baselines(TRAIN, TEST, CLASSES)["chance"]
    assert chance.accuracy == chance.uar == 1 / 3
    assert (chance.accuracy_frequent, chance.accuracy_rare) == (1 / 3, 1 / 3)
    assert [sum(row) for row in chance.confusion] == [4, 7, 2]


def test_the_majority_is_that_of_train_and_scored_on_test() -> None:
    majority = baselines(TRAIN, TEST, CLASSES)["majority"]
    assert majority.accuracy == pytest.approx(7 / 13)
    assert majority.uar == pytest.approx(1 / 3)
    assert [row[1] for row in majority.confusion] == [4, 7, 2]


def test_always_saying_the_commonest_class_of_test_is_a_row_of_its_own() -> None:
    """75 % where the majority of train scores 9 %."""
    test = ["happy"] * 72 + ["angry"] * 9 + ["sad"] * 15
    found = baselines(["angry"] * 5 + ["happy"] * 4, test, CLASSES)
    assert found["majority"].accuracy == pytest.approx(9 / 96)
    assert found["test majority"].accuracy == pytest.approx(72 / 96)
    assert found["test majority"].uar == pytest.approx(1 / 3)


def test_of_equally_frequent_classes_the_first_is_the_majority() -> None:
    majority = baselines(["sad", "happy"], ["happy", "sad"], CLASSES)["majority"]
    assert majority.per_class["happy"].recall == 1


def test_a_class_that_is_not_tested_has_no_support_and_no_recall() -> None:
    chance = baselines(TRAIN, ["angry", "happy"], CLASSES)["chance"]
    assert chance.per_class["sad"].support == 0
    assert chance.per_class["sad"].recall == 0
    assert chance.accuracy_rare is None


def test_guessing_needs_a_train_and_a_test_split() -> None:
    with pytest.raises(ValueError, match="train"):
        baselines([], TEST, CLASSES)
    with pytest.raises(ValueError, match="no utterances"):
        baselines(TRAIN, [], CLASSES)
