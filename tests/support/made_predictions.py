"""Predictions of speakers who are recognised as often as a test wants."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

CLASSES = ("angry", "happy", "sad")


def predictions(
    utterances: int, speakers: int | None, seed: int, classes: Sequence[str] = CLASSES
) -> pd.DataFrame:
    """Guesses that are right more often than chance; without speakers if there are none."""
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


def said_right(speaker: str | None, right: int, wrong: int) -> pd.DataFrame:
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


def all_said(right: Sequence[int], of: int) -> pd.DataFrame:
    """Speakers a, b, … with so many utterances right of as many each."""
    names = [chr(ord("a") + place) for place in range(len(right))]
    return pd.concat(
        [said_right(name, hits, of - hits) for name, hits in zip(names, right, strict=True)],
        ignore_index=True,
    )
