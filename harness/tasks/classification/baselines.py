"""What guessing would score: the floor under every table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import binom

from harness.tasks.classification.metrics import class_counts, group_accuracy, score
from harness.tasks.scores import ClassScore, SplitMetrics


def baselines(
    train_labels: Sequence[str], test_labels: Sequence[str], classes: Sequence[str]
) -> dict[str, SplitMetrics]:
    """Scores on a test split of guessing every class equally often, and of the most frequent one.

    "chance" are expected scores; "majority" is always the class that is most frequent in train,
    "test majority" the one that is in test, which no model can know before.

    Raises:
        ValueError: a split is empty, or a label is not a class.
    """
    if not train_labels:
        raise ValueError("there are no utterances in train to take the majority from")
    train_counts = class_counts(train_labels, classes)
    test_counts = class_counts(test_labels, classes)

    def always(counts: Mapping[str, int]) -> SplitMetrics:
        most_frequent = max(classes, key=counts.__getitem__)
        return score(test_labels, [most_frequent] * len(test_labels), classes, train_counts)

    return {
        "chance": chance(test_labels, classes, train_counts),
        "majority": always(train_counts),
        "test majority": always(test_counts),
    }


def chance(
    test_labels: Sequence[str], classes: Sequence[str], train_counts: dict[str, int]
) -> SplitMetrics:
    """Expected scores of guessing each of C classes with probability 1/C.

    Accuracy, UAR and recall are 1/C exactly. For F1, a class guessed m times, m ~ Bin(N, 1/C),
    is right m·n_c/N times on average, so E[F1_c] = Σ_m P(m) · 2·m·n_c / (N·(m + n_c)), exactly;
    E[precision_c] = P(m > 0) · n_c/N. The confusion matrix spreads each row as evenly as whole
    utterances allow.

    Raises:
        ValueError: the split is empty, or a label is not a class.
    """
    # scoring the labels against themselves checks them and finds the groups that occur
    perfect = score(test_labels, test_labels, classes, train_counts)
    total, even = len(test_labels), 1 / len(classes)
    counts = class_counts(test_labels, classes)
    scores = {name: _chance_of(count, total, even) for name, count in counts.items()}
    groups = group_accuracy(test_labels, test_labels, train_counts)
    return perfect.model_copy(
        update={
            "accuracy": even,
            "uar": even,
            "macro_f1": float(np.mean([found.f1 for found in scores.values()])),
            "weighted_f1": sum(found.f1 * found.support for found in scores.values()) / total,
            **{
                f"accuracy_{group}": None if value is None else even
                for group, value in groups.items()
            },
            "per_class": scores,
            "confusion": [_spread(count, len(classes)) for count in counts.values()],
        }
    )


def _chance_of(count: int, total: int, even: float) -> ClassScore:
    guesses = np.arange(1, total + 1)
    probability = binom.pmf(guesses, total, even)
    f1 = 2 * guesses * count / (total * (guesses + count))
    return ClassScore(
        precision=float(probability.sum()) * count / total,
        recall=even if count else 0.0,
        f1=float(probability @ f1),
        support=count,
    )


def _spread(count: int, parts: int) -> list[int]:
    share, rest = divmod(count, parts)
    return [share + (index < rest) for index in range(parts)]
