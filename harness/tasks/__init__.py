"""What is predicted, and how it is scored. The table of tasks; nothing is loaded here."""

from __future__ import annotations

from harness.tasks.task import Metric, TaskCard, Tasks

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
        baselines=("chance", "majority"),
        scores_note="Accuracy is WA, UAR is UA (balanced accuracy); all scores are on test, in %.",
        baselines_note=(
            "chance: the expected scores of guessing every class equally often; majority: always "
            "the class most frequent in train."
        ),
        default_loss="weighted_cross_entropy",
        details=(
            Metric("accuracy_frequent", "Accuracy, frequent classes"),
            Metric("accuracy_middle", "Accuracy, middling classes"),
            Metric("accuracy_rare", "Accuracy, rare classes"),
        ),
    ),
}
"""Every task by its name."""
