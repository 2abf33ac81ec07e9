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
from harness.data.prepared_corpus import PreparedCorpus, cut_fold, labelled
from harness.data.readers.synthetic import EMOTIONS
from harness.specs import BackboneSpec, CorpusSpec, ProtocolSpec, Trial
from harness.tasks import classification
from harness.training.fit_driver import Fitting, run_fits

Found = TypeVar("Found")
Splits = tuple[LabelledSplit, LabelledSplit]
"""Train and dev."""

encode = partial(classification.encode, outputs=tuple(EMOTIONS))
"""The targets of utterances of the synthetic corpus."""


def first_fold(prepared: PreparedCorpus) -> Splits:
    """Train, in crops of one second, and dev of the synthetic corpus's first fold of four."""
    trial = Trial(
        corpus=CorpusSpec(name="synthetic"),
        protocol=ProtocolSpec(folds=4),
        fold=1,
        backbone=BackboneSpec(name="tiny-wavlm"),
    )
    splits = cut_fold(trial, prepared).splits
    return labelled(prepared, splits.train, 1.0, encode), labelled(
        prepared, splits.dev, encode=encode
    )


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
