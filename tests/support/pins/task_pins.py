"""Pins of tasks: how targets are encoded and predictions scored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from harness.results.inference.delete_one import delete_one
from harness.tasks import TASKS
from harness.tasks.classification.metrics import frequency_groups
from pins.data_pins import corpus, outcome
from pins.model_pins import made_predictions


def classification(folder: Path) -> Any:
    card = TASKS["classification"]
    task, frame, whole = card.load(), made_predictions(), corpus(2, "abc", 1)
    targets = (0,) * 20 + (1,) * 12 + (2,) * 7 + (3,)
    bare = [replace(utterance, target=None) for utterance in whole.utterances]
    columns = task.prediction_columns(
        whole.utterances[:3],
        torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0], [-1.0, 0.0, 5.0]]),
        "abc",
    )
    loss = task.make_loss("weighted_cross_entropy", targets, "abcd")
    return {
        "outputs": task.outputs(whole),
        "one class": outcome(lambda: task.outputs(corpus(2, "a", 3))),
        "shared": task.shared_outputs("abcd", whole),
        "unknown": outcome(lambda: task.shared_outputs("ab", whole)),
        "encoded": task.encode(whole.utterances, "abc"),
        "no target": outcome(lambda: task.encode(bare, "abc")),
        "columns": columns,
        "loss": loss(torch.eye(4), torch.tensor([0, 1, 2, 0])),
        "scores": task.score(frame, targets, 1.5).model_dump(),
        "without groups": task.score(frame).model_dump(),
        # class d is neither true nor said
        "a class is lacking": task.score(
            frame[frame["label"].isin(["a", "b"])].assign(p_d=0.0)
        ).model_dump(),
        "baselines": {
            name: scores.model_dump()
            for name, scores in task.baselines(
                (0, 0, 0, 1, 1, 2, 3), (0, 1, 2, 0, 3, 1), "abcd"
            ).items()
        },
        "without a speaker": {
            name: [score.whole, score.without.tolist()]
            for name, score in delete_one([[frame.iloc[:20]], [frame.iloc[20:]]], card).items()
        },
        "groups": frequency_groups({"a": 3, "b": 3, "c": 1, "d": 9, "e": 4}),
    }


PINS = {"task.classification": classification}
