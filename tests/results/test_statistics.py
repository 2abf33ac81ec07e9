"""Means, spreads and intervals agree with loops written out by hand."""

from collections.abc import Sequence
from statistics import fmean, stdev

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.results.statistics import (
    INTERVAL_METRICS,
    intervals,
    scores_of_confusions,
    spread,
)
from harness.tasks.metrics import score, score_predictions

CLASSES = ["angry", "happy", "sad"]


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


def bootstrap_by_hand(
    seeds: Sequence[Sequence[pd.DataFrame]], clusters: Sequence[str], resamples: int
) -> dict[str, tuple[float, float]]:
    """The same draws as `intervals`, with every drawn utterance written out and scored."""
    generator = np.random.default_rng(0)
    even = np.full(len(clusters), 1 / len(clusters))
    drawn: dict[str, list[float]] = {metric: [] for metric in INTERVAL_METRICS}
    for times in generator.multinomial(len(clusters), even, size=resamples):
        times_of = dict(zip(clusters, times, strict=True))
        found = [_mean_of_drawn_folds(folds, times_of) for folds in seeds]
        for metric, values in drawn.items():
            values.append(fmean(scores[metric] for scores in found))
    return {m: tuple(np.quantile(v, [0.025, 0.975])) for m, v in drawn.items()}


def _mean_of_drawn_folds(
    folds: Sequence[pd.DataFrame], times_of: dict[str, int]
) -> dict[str, float]:
    weights, scores = [], []
    for frame in folds:
        names = frame["speaker"].fillna(frame["utterance_id"])
        parts = [frame[names == name] for name in set(names) for _ in range(times_of[name])]
        if parts:
            weights.append(len(parts) / names.nunique())
            scores.append(score_predictions(pd.concat(parts)))
    return {
        metric: float(np.average([getattr(one, metric) for one in scores], weights=weights))
        for metric in INTERVAL_METRICS
    }


@pytest.mark.parametrize("speakers", [4, None])
def test_intervals_are_those_of_a_bootstrap_written_out(speakers: int | None) -> None:
    def fold(number: int, seed: int) -> pd.DataFrame:
        # folds with 5, 6 and 7 speakers, so that their weights differ
        own = None if speakers is None else speakers + number
        frame = predictions(24, own, seed=10 * number + seed)
        frame["utterance_id"] = [f"{number}-{name}" for name in frame["utterance_id"]]
        if speakers is not None:
            frame["speaker"] = [f"{number}-{name}" for name in frame["speaker"]]
        return frame

    seeds = [[fold(number, seed) for number in (1, 2, 3)] for seed in (1, 2)]
    clusters = sorted(
        name for frame in seeds[0] for name in set(frame["speaker"].fillna(frame["utterance_id"]))
    )
    found = intervals(seeds, resamples=30)
    assert found is not None
    for metric, (low, high) in bootstrap_by_hand(seeds, clusters, resamples=30).items():
        assert (found[metric].low, found[metric].high) == pytest.approx((low, high))


def test_speakers_spread_wider_than_utterances_that_they_decide() -> None:
    frame = predictions(120, None, seed=0)
    frame["speaker"] = [f"s{index % 6}" for index in range(120)]
    for name in CLASSES:
        frame[f"p_{name}"] = (frame["label"] == name).astype(float)
    # half of the speakers are never recognised
    lost = frame["speaker"].isin(["s0", "s1", "s2"])
    frame.loc[lost, "p_angry"] = np.where(frame.loc[lost, "label"] == "angry", 0, 2)
    clustered = intervals([[frame]])
    single = intervals([[frame.assign(speaker=None)]])
    assert clustered is not None
    assert single is not None
    wide = clustered["accuracy"].high - clustered["accuracy"].low
    assert wide > 2 * (single["accuracy"].high - single["accuracy"].low)


def test_intervals_are_the_same_every_time_and_hold_the_score() -> None:
    frame = predictions(200, 10, seed=3)
    found = intervals([[frame]])
    assert found == intervals([[frame]])
    assert found is not None
    whole = score_predictions(frame)
    for metric in INTERVAL_METRICS:
        assert found[metric].low < getattr(whole, metric) < found[metric].high


def test_one_speaker_gives_no_interval() -> None:
    assert intervals([[predictions(20, 1, seed=0)]]) is None


def test_seeds_must_speak_of_the_same_classes() -> None:
    other = predictions(20, 4, seed=0, classes=["calm", "sad"])
    with pytest.raises(ValueError, match="same classes"):
        intervals([[predictions(20, 4, seed=0)], [other]])


@given(
    st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)), min_size=1, max_size=30)
)
def test_scores_of_confusions_are_the_metrics(pairs: list[tuple[str, str]]) -> None:
    wanted = score([a for a, _ in pairs], [b for _, b in pairs], CLASSES)
    found = scores_of_confusions(np.array([wanted.confusion], dtype=float))
    for metric in INTERVAL_METRICS:
        assert found[metric][0] == pytest.approx(getattr(wanted, metric))
