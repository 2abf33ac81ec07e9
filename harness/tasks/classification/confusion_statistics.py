"""Scores from confusion counts, which add up over utterances: what a jackknife needs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.tasks.classification.metrics import classes_of, most_probable
from harness.tasks.task import Floats


def confusions_of_utterances(predictions: pd.DataFrame) -> Floats:
    """The confusion matrix of every single utterance, flattened, rows being true classes.

    Shape:
        output: (N, C · C)
    """
    classes = classes_of(predictions)
    number = {name: index for index, name in enumerate(classes)}
    true = [number[name] for name in predictions["label"].tolist()]
    guessed = most_probable(predictions, classes)
    counts = np.zeros((len(predictions), len(number), len(number)))
    counts[np.arange(len(predictions)), true, guessed] = 1
    return counts.reshape(len(predictions), -1)


def scores_of_confusions(confusions: Floats) -> dict[str, Floats]:
    """Scores of many flattened confusion matrices at once, as `metrics` defines them.

    Shape:
        confusions: (R, C · C)
        output: (R,) each
    """
    size = round(confusions.shape[-1] ** 0.5)
    counts = confusions.reshape(-1, size, size)
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    true, guessed = counts.sum(-1), counts.sum(-2)
    return {
        "accuracy": _ratio(hits.sum(-1), true.sum(-1)),
        "uar": _ratio(_ratio(hits, true).sum(-1), (true > 0).sum(-1)),
        "macro_f1": _ratio(2 * hits, true + guessed).mean(-1),
    }


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros(np.shape(above)), where=below > 0)
