"""What is predicted, and how it is scored. The table of tasks; nothing is loaded here."""

from __future__ import annotations

from harness.tasks.task import Metric, TaskCard, Tasks

TASKS: Tasks = {
    "classification": TaskCard(
        "classification",
        metrics=(
            Metric("accuracy", "Accuracy"),
            Metric("uar", "UAR"),
            Metric("macro_f1", "Macro-F1"),
            Metric("weighted_f1", "Weighted F1", has_interval=False),
        ),
        headline="uar",
        losses=("weighted_cross_entropy", "cross_entropy", "dr"),
    ),
}
"""Every task by its name."""
