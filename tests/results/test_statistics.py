"""Means, spreads and intervals agree with loops written out by hand."""

from collections.abc import Callable, Sequence
from itertools import product
from math import ceil
from statistics import fmean, stdev
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from harness.results.statistics import differences, intervals, spread
from harness.tasks import TASKS
from harness.tasks.classification.metrics import score_predictions

TASK = TASKS["classification"]
INTERVAL_METRICS = [metric.name for metric in TASK.metrics if metric.has_interval]
CLASSES = ["angry", "happy", "sad"]
SKLEARN: dict[str, Callable[..., float]] = {
    "accuracy": accuracy_score,
    "uar": balanced_accuracy_score,
    "macro_f1": lambda labels, guesses: f1_score(labels, guesses, average="macro"),
}


def predictions(
    utterances: int, speakers: int | None, seed: int, classes: Sequence[str] = CLASSES
) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    names = [f"s{index % speakers}" if speakers else None for index in range(utterances)]
    frame = pd.DataFrame(
        {
            "utterance_id": [f"u{index}" for index in range(utterances)],
            "split": "test",
            "speaker": names,
            "label": generator.choice(list(classes), utterances),
        }
    )
    for name in classes:
        frame[f"p_{name}"] = generator.random(utterances) + 0.4 * (frame["label"] == name)
    return frame


def trials(values: dict[tuple[int, int], float]) -> pd.DataFrame:
    rows = [(fold, seed, value) for (fold, seed), value in values.items()]
    return pd.DataFrame(rows, columns=["fold", "seed", "uar"])


@given(
    st.integers(2, 4).flatmap(
        lambda folds: st.integers(2, 4).flatmap(
            lambda seeds: st.lists(
                st.lists(st.floats(0, 1), min_size=seeds, max_size=seeds),
                min_size=folds,
                max_size=folds,
            )
        )
    )
)
def test_spreads_are_those_of_the_means_over_the_other_axis(grid: list[list[float]]) -> None:
    values = {(f, s): value for f, row in enumerate(grid) for s, value in enumerate(row)}
    found = spread(trials(values), "uar")
    assert found.mean == pytest.approx(fmean(values.values()))
    assert found.folds == pytest.approx(stdev(map(fmean, grid)), abs=1e-9)
    by_seed = [fmean(column) for column in zip(*grid, strict=True)]
    assert found.seeds == pytest.approx(stdev(by_seed), abs=1e-9)


def test_one_fold_or_one_seed_has_no_spread() -> None:
    found = spread(trials({(1, 1): 0.5}), "uar")
    assert (found.mean, found.folds, found.seeds) == (0.5, None, None)
    assert spread(trials({(1, 1): 0.5, (1, 2): 0.7}), "uar").folds is None
    assert spread(trials({(1, 1): 0.5, (2, 1): 0.7}), "uar").seeds is None


def test_a_missing_trial_does_not_mix_folds_into_the_spread_over_seeds() -> None:
    found = spread(trials({(1, 1): 0.2, (1, 2): 0.2, (2, 1): 0.8}), "uar")
    assert found.mean == pytest.approx(0.5)
    assert found.seeds == 0


def every_draw(speakers: Sequence[str]) -> list[tuple[str, ...]]:
    """All equally likely outcomes of drawing as many speakers as there are, with replacement."""
    return list(product(speakers, repeat=len(speakers)))


def said_right(speaker: str, right: int, wrong: int) -> pd.DataFrame:
    """Utterances of one speaker, all of one class, of which so many are recognised."""
    hits = [True] * right + [False] * wrong
    return pd.DataFrame(
        {
            "utterance_id": [f"{speaker}-{index}" for index in range(len(hits))],
            "split": "test",
            "speaker": speaker,
            "label": "sad",
            "p_happy": [0.0 if hit else 1.0 for hit in hits],
            "p_sad": [1.0 if hit else 0.0 for hit in hits],
        }
    )


def accuracy_between(folds: Sequence[Sequence[pd.DataFrame]], confidence: float) -> Any:
    found = intervals(folds, TASK, confidence, resamples=20_000)
    assert found is not None
    return found["accuracy"].low, found["accuracy"].high


def test_two_folds_of_one_speaker_each_are_drawn_as_chance_would() -> None:
    """A quarter of the draws holds the first alone, a quarter the other, and half hold both."""
    folds = [[said_right("a", 3, 1)], [said_right("b", 1, 3)]]
    assert accuracy_between(folds, confidence=0.90) == (0.25, 0.75)
    assert accuracy_between(folds, confidence=0.40) == (0.5, 0.5)


def test_a_fold_weighs_by_the_share_of_its_speakers_that_was_drawn() -> None:
    """Fold 1 has the speakers a and b, fold 2 has c; the ten different draws, written out."""
    first = pd.concat([said_right("a", 4, 0), said_right("b", 2, 2)])  # 1.0 and 0.5
    second = said_right("c", 0, 4)  # 0.0
    mean_of = {
        "aaa": 1.0, "bbb": 0.5, "ccc": 0.0, "aab": (1.0 + 1.0 + 0.5) / 3, "abb": 2.0 / 3,
        "aac": (1.0 * 1.0 + 1.0 * 0.0) / 2, "bbc": (1.0 * 0.5 + 1.0 * 0.0) / 2,
        "abc": (1.0 * 0.75 + 1.0 * 0.0) / 2,
        "acc": (0.5 * 1.0 + 2.0 * 0.0) / 2.5, "bcc": (0.5 * 0.5 + 2.0 * 0.0) / 2.5,
    }  # fmt: skip
    exact = sorted(mean_of["".join(sorted(draw))] for draw in every_draw("abc"))
    for confidence in (0.99, 0.8, 0.5, 0.3):
        tails = (1 - confidence) / 2
        low, high = exact[int(27 * tails)], exact[-1 - int(27 * tails)]
        assert accuracy_between([[first], [second]], confidence) == pytest.approx((low, high))


def weighted_quantile(values: Sequence[float], share: float) -> float:
    """The least value that at least such a share of equally likely ones does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


@pytest.mark.parametrize("metric", INTERVAL_METRICS)
def test_intervals_are_those_of_all_possible_draws(metric: str) -> None:
    """Four speakers of one fold have 256 draws; each is written out and scored by scikit-learn."""
    frame = predictions(48, 4, seed=5)
    predicted = frame[[f"p_{name}" for name in CLASSES]].to_numpy().argmax(1)
    scored = []
    for draw in every_draw(["s0", "s1", "s2", "s3"]):
        rows = np.concatenate([np.flatnonzero(frame["speaker"] == name) for name in draw])
        labels = frame["label"].to_numpy()[rows]
        guesses = np.array(CLASSES)[predicted[rows]]
        scored.append(SKLEARN[metric](labels, guesses))
    found = intervals([[frame]], TASK, resamples=20_000)
    assert found is not None
    for edge, share in ((found[metric].low, 0.025), (found[metric].high, 0.975)):
        # 20,000 draws place a quantile within a third of a per cent of the draws
        near = [weighted_quantile(scored, share + step) for step in (-0.005, 0.005)]
        assert near[0] - 1e-9 <= edge <= near[1] + 1e-9


def test_the_mean_over_seeds_is_taken_in_every_draw() -> None:
    """What one seed has right the other has wrong, so that no draw moves their mean."""
    seeds = [
        pd.concat([said_right("a", 1, 3), said_right("b", 3, 1)]),
        pd.concat([said_right("a", 3, 1), said_right("b", 1, 3)]),
    ]
    assert accuracy_between([seeds], confidence=0.95) == (0.5, 0.5)
    assert accuracy_between([seeds[:1]], confidence=0.95) == (0.25, 0.75)


def test_a_fold_counts_once_however_many_seeds_it_has() -> None:
    """Fold 1 with two seeds scores 0.5, fold 2 with one scores 1, so both score 0.75."""
    folds = [[said_right("a", 4, 0), said_right("a", 0, 4)], [said_right("b", 4, 0)]]
    assert accuracy_between(folds, confidence=0.90) == (0.5, 1.0)
    assert accuracy_between(folds, confidence=0.40) == (0.75, 0.75)


def test_the_order_of_rows_does_not_matter() -> None:
    frame = predictions(60, 5, seed=1)
    assert intervals([[frame.sample(frac=1, random_state=0)]], TASK) == intervals([[frame]], TASK)


def difference_between(
    base: Sequence[Sequence[pd.DataFrame]],
    head: Sequence[Sequence[pd.DataFrame]],
    confidence: float = 0.95,
) -> tuple[float, float]:
    found = differences(base, head, TASK, confidence, resamples=20_000)
    assert found is not None
    return found["accuracy"].low, found["accuracy"].high


def test_the_same_speakers_are_drawn_for_both_sides_of_a_difference() -> None:
    """a gains 0.25 and b loses 0.5: the draws aa, ab, ba and bb give 0.25, -0.125 twice and -0.5.

    Drawn apart, a of head could meet b of base, and the interval would reach from -0.75 to 0.5.
    """
    base = [[pd.concat([said_right("a", 1, 3), said_right("b", 3, 1)])]]
    head = [[pd.concat([said_right("a", 2, 2), said_right("b", 1, 3)])]]
    assert difference_between(base, head) == pytest.approx((-0.5, 0.25))
    assert difference_between(base, head, confidence=0.4) == pytest.approx((-0.125, -0.125))


def test_a_difference_is_of_head_from_base() -> None:
    base, head = (
        [[pd.concat([said_right("a", n, 4 - n), said_right("b", n, 4 - n)])]] for n in (1, 3)
    )
    assert difference_between(base, head) == (0.5, 0.5)
    assert difference_between(head, base) == (-0.5, -0.5)


def test_equal_predictions_do_not_differ_whoever_is_drawn() -> None:
    frame = predictions(60, 5, seed=2)
    found = differences([[frame]], [[frame.copy()]], TASK)
    assert found is not None
    assert {(interval.low, interval.high) for interval in found.values()} == {(0.0, 0.0)}


def test_a_difference_needs_two_speakers_and_the_same_classes() -> None:
    one = predictions(20, 1, seed=0)
    assert differences([[one]], [[one]], TASK) is None
    other = predictions(20, 4, seed=0, classes=["calm", "sad"])
    with pytest.raises(ValueError, match="same columns"):
        differences([[predictions(20, 4, seed=0)]], [[other]], TASK)


def test_speakers_spread_wider_than_utterances_that_they_decide() -> None:
    frame = predictions(120, None, seed=0)
    frame["speaker"] = [f"s{index % 6}" for index in range(120)]
    for name in CLASSES:
        frame[f"p_{name}"] = (frame["label"] == name).astype(float)
    # half of the speakers are never recognised
    lost = frame["speaker"].isin(["s0", "s1", "s2"])
    frame.loc[lost, "p_angry"] = np.where(frame.loc[lost, "label"] == "angry", 0, 2)
    clustered = intervals([[frame]], TASK)
    single = intervals([[frame.assign(speaker=None)]], TASK)
    assert clustered is not None
    assert single is not None
    wide = clustered["accuracy"].high - clustered["accuracy"].low
    assert wide > 2 * (single["accuracy"].high - single["accuracy"].low)


def test_intervals_are_the_same_every_time_and_hold_the_score() -> None:
    frame = predictions(200, 10, seed=3)
    found = intervals([[frame]], TASK)
    assert found == intervals([[frame]], TASK)
    assert found is not None
    whole = score_predictions(frame)
    for metric in INTERVAL_METRICS:
        assert found[metric].low < getattr(whole, metric) < found[metric].high


def test_one_speaker_gives_no_interval() -> None:
    assert intervals([[predictions(20, 1, seed=0)]], TASK) is None


def test_seeds_must_have_the_same_columns() -> None:
    other = predictions(20, 4, seed=0, classes=["calm", "sad"])
    with pytest.raises(ValueError, match="same columns"):
        intervals([[predictions(20, 4, seed=0)], [other]], TASK)
