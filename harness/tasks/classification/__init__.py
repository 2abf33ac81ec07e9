"""Classification: one class an utterance, of the C that occur in its corpus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from harness.data.targets import require_targets
from harness.data.utterances import Corpus, Utterance
from harness.errors import CorpusError, UserError
from harness.model.components import LOSSES
from harness.tasks.classification.baselines import baselines as baselines_of_labels
from harness.tasks.classification.confusion_statistics import (
    confusions_of_utterances,
    scores_of_confusions,
)
from harness.tasks.classification.metrics import class_counts, classes_of, score_predictions
from harness.tasks.scores import SplitMetrics
from harness.tasks.task import Floats, SufficientStatistics, Targets

if TYPE_CHECKING:
    from torch import Tensor, nn

sufficient_statistics: SufficientStatistics | None = SufficientStatistics(
    confusions_of_utterances, scores_of_confusions
)


def outputs(corpus: Corpus) -> tuple[str, ...]:
    """The corpus's classes.

    Raises:
        CorpusError: there are fewer than two.
    """
    if len(corpus.classes) < 2:
        raise CorpusError(
            f"corpus {corpus.name!r}: at least two classes are needed, "
            f"found: {', '.join(corpus.classes) or 'none'}"
        )
    return corpus.classes


def shared_outputs(outputs: Sequence[str], corpus: Corpus) -> tuple[str, ...]:
    """The classes that the corpus has: a network chooses between those alone.

    Raises:
        UserError: the corpus has classes that the network does not know.
    """
    unknown = sorted(set(corpus.classes) - set(outputs))
    if unknown:
        raise UserError(
            f"the network knows {', '.join(outputs)}, but {corpus.name} also has "
            f"{', '.join(unknown)}: map them with `labels:` in a YAML file and give that to "
            "--corpus"
        )
    return corpus.classes


def encode(utterances: Sequence[Utterance], outputs: Sequence[str]) -> Targets:
    """The number of each utterance's class, 0 to C-1.

    Raises:
        CorpusError: an utterance has no class.
    """
    require_targets(utterances, "classification")
    numbers = {name: number for number, name in enumerate(outputs)}
    return tuple(numbers[str(utterance.target)] for utterance in utterances)


def make_loss(name: str, train: Targets, outputs: Sequence[str]) -> nn.Module:
    """A loss from logits (B, C) and class numbers (B,), made from the class counts of train."""
    counts = class_counts(_names(train, outputs), outputs)
    loss: nn.Module = LOSSES[name].load()(list(counts.values()))
    return loss


def prediction_columns(
    utterances: Sequence[Utterance], values: Tensor, outputs: Sequence[str]
) -> Mapping[str, Sequence[Any] | Floats]:
    """`label`, then the probability `p_<class>` of each class.

    Shape:
        values: logits (N, C)
    """
    probabilities = values.double().softmax(1).numpy()
    return {"label": [utterance.target for utterance in utterances]} | {
        f"p_{name}": probabilities[:, number] for number, name in enumerate(outputs)
    }


def score(
    predictions: pd.DataFrame, train: Targets = (), loss: float | None = None
) -> SplitMetrics:
    """All scores of a split; without `train` no class is called frequent, middle or rare.

    Raises:
        ValueError: there are no utterances, or a probability is not a number.
    """
    classes = classes_of(predictions)
    counts = class_counts(_names(train, classes), classes) if train else None
    return score_predictions(predictions, counts, loss)


def baselines(train: Targets, test: Targets, outputs: Sequence[str]) -> Mapping[str, SplitMetrics]:
    """What guessing every class equally often scores, and always the one most frequent in train.

    Raises:
        ValueError: a split is empty.
    """
    return baselines_of_labels(_names(train, outputs), _names(test, outputs), outputs)


def _names(targets: Targets, outputs: Sequence[str]) -> list[str]:
    return [outputs[int(target)] for target in targets]
