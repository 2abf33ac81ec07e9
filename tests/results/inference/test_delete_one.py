"""Scores without a speaker are those that scikit-learn gives without their utterances."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from made_predictions import CLASSES, predictions, said_right
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from harness.results.inference.delete_one import delete_one, difference
from harness.tasks import TASKS

TASK = TASKS["classification"]
SKLEARN: dict[str, Callable[..., float]] = {
    "accuracy": accuracy_score,
    "uar": balanced_accuracy_score,
    "macro_f1": lambda labels, guesses: f1_score(labels, guesses, average="macro"),
}


def by_sklearn(frame: pd.DataFrame, metric: str) -> float:
    guesses = np.array(CLASSES)[frame[[f"p_{name}" for name in CLASSES]].to_numpy().argmax(1)]
    return SKLEARN[metric](frame["label"], guesses)


@pytest.mark.parametrize("metric", SKLEARN)
def test_each_speaker_is_left_out_in_turn(metric: str) -> None:
    frame = predictions(60, 4, seed=5)
    found = delete_one([[frame]], TASK)[metric]
    assert found.whole == pytest.approx(by_sklearn(frame, metric))
    expected = [by_sklearn(frame[frame["speaker"] != f"s{k}"], metric) for k in range(4)]
    assert found.without == pytest.approx(expected)
    assert (found.speakers, found.utterances, found.seeds) == (4, 60, (1,))


def test_the_mean_is_over_seeds_and_then_over_folds() -> None:
    first = [predictions(40, 4, seed=1), predictions(40, 4, seed=2)]
    second = predictions(50, 5, seed=3)
    second["speaker"] = "other " + second["speaker"]
    found = delete_one([first, [second]], TASK)["uar"]
    by_fold = [np.mean([by_sklearn(one, "uar") for one in first]), by_sklearn(second, "uar")]
    assert found.whole == pytest.approx(np.mean(by_fold))
    assert found.seeds == (2, 1)
    assert found.retrained


def test_a_fold_weighs_by_the_share_of_its_speakers_that_is_left() -> None:
    """Fold 1 has the speakers a (right) and b (half right), fold 2 has c (wrong)."""
    first = pd.concat([said_right("a", 4, 0), said_right("b", 2, 2)])
    found = delete_one([[first], [said_right("c", 0, 4)]], TASK)["accuracy"]
    assert found.whole == pytest.approx(0.375)
    half = 0.5 / 1.5  # what the fold with one of its two speakers weighs
    assert found.without == pytest.approx([half * 0.5, half * 1.0, 0.75])


def test_the_order_of_rows_does_not_matter() -> None:
    frame = predictions(60, 5, seed=1)
    shuffled = frame.sample(frac=1, random_state=0)
    one, other = (delete_one([[rows]], TASK)["uar"] for rows in (frame, shuffled))
    assert one.without == pytest.approx(other.without)
    assert one.tested == other.tested


def test_other_utterances_are_told_apart() -> None:
    frame = predictions(60, 5, seed=1)
    fewer = delete_one([[frame.iloc[:-1]]], TASK)["uar"]
    assert fewer.tested != delete_one([[frame]], TASK)["uar"].tested


def test_without_two_known_speakers_nothing_is_said() -> None:
    assert delete_one([[predictions(20, 1, seed=0)]], TASK) == {}
    assert delete_one([[predictions(20, None, seed=0)]], TASK) == {}
    partly = predictions(20, 4, seed=0)
    partly.loc[3, "speaker"] = None
    assert delete_one([[partly]], TASK) == {}


def test_uneven_speakers_weigh_as_fewer() -> None:
    even = delete_one([[predictions(60, 4, seed=0)]], TASK)["uar"]
    assert even.effective_speakers == pytest.approx(4)
    assert even.degrees == pytest.approx(3)
    uneven = pd.concat([said_right("a", 30, 10), said_right("b", 3, 2), said_right("c", 2, 3)])
    found = delete_one([[uneven]], TASK)["accuracy"]
    assert found.effective_speakers == pytest.approx(50**2 / (40**2 + 5**2 + 5**2))
    assert found.degrees == 1


def test_a_difference_is_taken_speaker_by_speaker_and_seed_by_seed() -> None:
    one, other = (
        delete_one([[predictions(40, 4, seed=s), predictions(40, 4, seed=s + 1)]], TASK)["uar"]
        for s in (1, 3)
    )
    found = difference(one, other)
    assert found.whole == one.whole - other.whole
    assert found.without == pytest.approx(one.without - other.without)
    assert found.folds[0].whole == pytest.approx(one.folds[0].whole - other.folds[0].whole)
    single = delete_one([[predictions(40, 4, seed=1)]], TASK)["uar"]
    with pytest.raises(ValueError, match="seeds of folds differ"):
        difference(one, single)


def test_seeds_must_have_the_same_columns() -> None:
    other = predictions(20, 4, seed=0, classes=["calm", "sad"])
    with pytest.raises(ValueError, match="same columns"):
        delete_one([[predictions(20, 4, seed=0), other]], TASK)
