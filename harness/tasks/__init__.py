"""What is predicted, and how it is scored. The table of tasks; nothing is loaded here."""

from __future__ import annotations

from collections.abc import Mapping

from harness.tasks.scores import SplitMetrics, SplitScores
from harness.tasks.task import Metric, TaskCard, Tasks


def every_class_occurs(metrics: Mapping[str, SplitScores]) -> bool:
    """Whether scores of version 1 are those of version 2, which counts classes that a split lacks.

    Where each class occurs in dev and in test, both divide by the same number.
    """
    splits = [scores for scores in metrics.values() if isinstance(scores, SplitMetrics)]
    return all(found.support > 0 for scores in splits for found in scores.per_class.values())


TASKS: Tasks = {
    "classification": TaskCard(
        "classification",
        module="harness.tasks.classification",
        metrics=(
            Metric("accuracy", "Accuracy"),
            Metric("uar", "UAR"),
            Metric("macro_f1", "Macro-F1"),
            Metric("weighted_f1", "Weighted F1", has_interval=False),
        ),
        headline="uar",
        baselines=("chance", "majority", "test majority"),
        scores_note="Accuracy is WA, UAR is UA (balanced accuracy), the mean over the classes that "
        "occur in a test split; macro-F1 is the mean over all classes of the corpus, one that the "
        "split lacks as 0. All scores are on test, in %.",
        baselines_note=(
            "chance: the expected scores of guessing every class equally often; majority: always "
            "the class most frequent in train; test majority: always the one most frequent in test."
        ),
        default_loss="weighted_cross_entropy",
        details=(
            Metric("accuracy_frequent", "Accuracy, frequent classes"),
            Metric("accuracy_middle", "Accuracy, middling classes"),
            Metric("accuracy_rare", "Accuracy, rare classes"),
        ),
        probes={
            "logistic_regression": "harness.tasks.classification.probes:logistic_regression",
            "knn": "harness.tasks.classification.probes:knn",
        },
        version=2,
        same_since=every_class_occurs,
    ),
}
"""Every task by its name."""
