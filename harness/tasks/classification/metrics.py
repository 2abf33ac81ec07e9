"""The scores of one split, computed by scikit-learn, every function with its formula.

Labels and predictions are names of classes. In formulas N is the number of utterances, n_c how
many are truly of class c, m_c how many were predicted as c, and t_c how many are both. What is
divided by zero scores 0, as in scikit-learn with `zero_division=0`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
    recall_score,
)

from harness.tasks.scores import ClassScore, SplitMetrics

GROUPS = ("frequent", "middle", "rare")


def score(
    labels: Sequence[str],
    predicted: Sequence[str],
    classes: Sequence[str],
    train_counts: Mapping[str, int] | None = None,
    loss: float | None = None,
) -> SplitMetrics:
    """All scores of one split.

    Args:
        labels: the true class of each utterance
        predicted: the predicted class of each utterance
        classes: every class of the corpus, in its order
        train_counts: utterances of each class in train; without them no class is called
            frequent, middle or rare
        loss: noted as it is

    Raises:
        ValueError: there are no utterances, the lengths differ, or a name is not a class.
    """
    _check(labels, predicted, classes)
    groups = group_accuracy(labels, predicted, train_counts or {})
    return SplitMetrics(
        utterances=len(labels),
        loss=loss,
        accuracy=accuracy(labels, predicted),
        uar=uar(labels, predicted),
        macro_f1=macro_f1(labels, predicted, classes),
        weighted_f1=weighted_f1(labels, predicted),
        accuracy_frequent=groups["frequent"],
        accuracy_middle=groups["middle"],
        accuracy_rare=groups["rare"],
        per_class=per_class(labels, predicted, classes),
        confusion=confusion(labels, predicted, classes),
    )


def score_predictions(
    predictions: pd.DataFrame,
    train_counts: Mapping[str, int] | None = None,
    loss: float | None = None,
) -> SplitMetrics:
    """All scores of a predictions frame: columns `label` and `p_<class>` for every class.

    The class with the highest probability is the predicted one; of equals, the first.

    Raises:
        ValueError: as `score`, or a probability is not a number.
    """
    return score(
        predictions["label"].tolist(),
        predicted_classes(predictions),
        classes_of(predictions),
        train_counts,
        loss,
    )


def classes_of(predictions: pd.DataFrame) -> list[str]:
    """The classes of a predictions frame, in its order.

    >>> classes_of(pd.DataFrame({"label": ["sad"], "p_happy": [0.1], "p_sad": [0.9]}))
    ['happy', 'sad']
    """
    return [str(name)[2:] for name in predictions.columns if str(name).startswith("p_")]


def predicted_classes(predictions: pd.DataFrame) -> list[str]:
    """The most probable class of each utterance.

    Raises:
        ValueError: a probability is not a number.
    """
    classes = classes_of(predictions)
    return [classes[place] for place in most_probable(predictions, classes)]


def most_probable(predictions: pd.DataFrame, classes: Sequence[str]) -> npt.NDArray[np.intp]:
    """The place among the classes of each utterance's most probable one, (N,).

    Raises:
        ValueError: a probability is not a number.
    """
    columns = [predictions[f"p_{name}"].to_numpy(dtype=float) for name in classes]
    probabilities = np.stack(columns, axis=1)
    if np.isnan(probabilities).any():
        raise ValueError("a probability is not a number (NaN): these predictions cannot be scored")
    found: npt.NDArray[np.intp] = probabilities.argmax(1)
    return found


def accuracy(labels: Sequence[str], predicted: Sequence[str]) -> float:
    """Weighted accuracy, WA: Σ t_c / N, in [0, 1].

    Raises:
        ValueError: there are no utterances, or the lengths differ.
    """
    return float(accuracy_score(labels, predicted))


def uar(labels: Sequence[str], predicted: Sequence[str]) -> float:
    """Unweighted average recall, UA or balanced accuracy: the mean of t_c / n_c, in [0, 1].

    The mean is over the classes that occur among the labels: recall is not defined for others.
    Schuller et al., "The INTERSPEECH 2009 Emotion Challenge", 2009.

    Raises:
        ValueError: there are no utterances, or the lengths differ.
    """
    present = sorted(set(labels))
    return float(recall_score(labels, predicted, labels=present, average="macro"))


def macro_f1(labels: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> float:
    """Macro-F1: the mean of F1_c = 2·t_c / (n_c + m_c), in [0, 1].

    The mean is over all classes of the corpus, whichever of them a model predicts, so that the
    trials of a split are divided by the same number; a class that the split lacks scores 0.
    Opitz and Burst, "Macro F1 and Macro F1", 2019 (their averaged F1).

    Raises:
        ValueError: there are no utterances, or the lengths differ.
    """
    return float(
        f1_score(labels, predicted, labels=list(classes), average="macro", zero_division=0)
    )


def weighted_f1(labels: Sequence[str], predicted: Sequence[str]) -> float:
    """Weighted F1: Σ (n_c / N) · F1_c, in [0, 1].

    Raises:
        ValueError: there are no utterances, or the lengths differ.
    """
    return float(f1_score(labels, predicted, average="weighted", zero_division=0))


def per_class(
    labels: Sequence[str], predicted: Sequence[str], classes: Sequence[str]
) -> dict[str, ClassScore]:
    """Precision t_c / m_c, recall t_c / n_c, F1 and support n_c of every class.

    Raises:
        ValueError: there are no utterances, or the lengths differ.
    """
    columns = precision_recall_fscore_support(
        labels, predicted, labels=list(classes), zero_division=0
    )
    return {
        name: ClassScore(
            precision=float(precision), recall=float(recall), f1=float(f1), support=int(support)
        )
        for name, precision, recall, f1, support in zip(classes, *columns, strict=True)
    }


def confusion(
    labels: Sequence[str], predicted: Sequence[str], classes: Sequence[str]
) -> list[list[int]]:
    """How many utterances of each true class (row) were predicted as each class (column).

    Raises:
        ValueError: there are no utterances, or the lengths differ.
    """
    matrix: list[list[int]] = confusion_matrix(labels, predicted, labels=list(classes)).tolist()
    return matrix


def group_accuracy(
    labels: Sequence[str], predicted: Sequence[str], train_counts: Mapping[str, int]
) -> dict[str, float | None]:
    """Accuracy over the utterances of frequent, of middle and of rare classes, in [0, 1].

    None where no utterance belongs to the group. After Liu et al., "Large-Scale Long-Tailed
    Recognition in an Open World", CVPR 2019 (many, medium and few shots).
    """
    group_of = frequency_groups(train_counts)
    hits: dict[str, list[bool]] = {group: [] for group in GROUPS}
    for label, guess in zip(labels, predicted, strict=True):
        if label in group_of:
            hits[group_of[label]].append(label == guess)
    return {group: float(np.mean(found)) if found else None for group, found in hits.items()}


def frequency_groups(train_counts: Mapping[str, int]) -> dict[str, str]:
    """Which classes are frequent, middle and rare in train.

    Frequent are counts above the upper tercile of all classes' counts, rare are those below the
    lower one. Equal counts are always in the same group, so a group may be empty.

    >>> frequency_groups({"angry": 96, "happy": 96, "neutral": 48, "sad": 96})
    {'angry': 'middle', 'happy': 'middle', 'neutral': 'rare', 'sad': 'middle'}
    """
    if not train_counts:
        return {}
    lower, upper = np.quantile(list(train_counts.values()), [1 / 3, 2 / 3])
    return {
        name: "frequent" if count > upper else "rare" if count < lower else "middle"
        for name, count in train_counts.items()
    }


def class_counts(labels: Sequence[str], classes: Sequence[str]) -> dict[str, int]:
    """How many utterances each class has, in the order of the classes."""
    counts = Counter(labels)
    return {name: counts[name] for name in classes}


def _check(labels: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> None:
    if not labels:
        raise ValueError("there are no utterances to score")
    if len(labels) != len(predicted):
        raise ValueError(f"{len(labels)} labels, but {len(predicted)} predictions")
    if unknown := sorted({*labels, *predicted} - {*classes}):
        raise ValueError(f"not among the classes: {', '.join(unknown)}")
