"""What fits in tests share: how dev is scored, and how one is run to its end."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import torch
from accelerate import Accelerator
from running import result_of
from sklearn.metrics import f1_score
from torch import Tensor, nn

from harness.data.batches import LabelledSplit
from harness.data.readers.synthetic import EMOTIONS
from harness.tasks import classification
from harness.training.fit_driver import Fitting, run_fits

Found = TypeVar("Found")

encode = partial(classification.encode, outputs=tuple(EMOTIONS))
"""The targets of utterances of the synthetic corpus."""


def scorer(loss: nn.Module, dev: LabelledSplit) -> Callable[[Tensor], tuple[float, float]]:
    """Dev's loss and its macro-F1, from logits."""

    def score(logits: Tensor) -> tuple[float, float]:
        labels = torch.tensor(dev.targets)
        value = float(loss.cpu()(logits, labels))
        return value, float(f1_score(labels, logits.argmax(1), average="macro", zero_division=0))

    return score


def run_one(fitting: Fitting[Found], accelerator: Accelerator) -> Found:
    """What one fit finds."""
    (found,) = result_of(run_fits([fitting], accelerator))
    return found
