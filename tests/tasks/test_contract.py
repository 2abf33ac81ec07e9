"""Every task in the table keeps the contract, on made-up utterances and outputs."""

import inspect
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pitch_task
import pytest
import torch

from harness.data.utterances import Corpus, Target, Utterance, make_corpus
from harness.errors import CorpusError
from harness.model.components import LOSSES, losses_of
from harness.tasks import TASKS
from harness.tasks.task import Task, TaskCard, metric_names

TARGETS: dict[str, list[Target]] = {
    "classification": ["angry", "happy", "happy", "sad", "happy", "angry", "sad", "happy"],
    "pitch": [0.5, -0.25, 0.0, 0.75, 1.0, -0.5, 0.25, 0.125],
}
"""Of each task, targets that a corpus may have."""


@dataclass(frozen=True)
class Example:
    """A task with a corpus, and what a network makes of it."""

    card: TaskCard
    task: Task
    corpus: Corpus
    outputs: tuple[str, ...]
    targets: tuple[int | float, ...]
    values: torch.Tensor
    predictions: pd.DataFrame


@pytest.fixture(params=[*TASKS, pitch_task.CARD.name])
def example(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Example:
    monkeypatch.setitem(TASKS, "pitch", pitch_task.CARD)  # type: ignore[arg-type]
    monkeypatch.setitem(LOSSES, "mse", pitch_task.LOSS)
    card = TASKS[request.param]
    task = card.load()
    corpus = make_corpus(
        "made",
        (
            Utterance(f"u{number}", Path("a.wav"), target, f"s{number % 3}")
            for number, target in enumerate(TARGETS[card.name])
        ),
    )
    outputs = task.outputs(corpus)
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(len(corpus.utterances), len(outputs), generator=generator)
    columns = task.prediction_columns(corpus.utterances, values, outputs)
    targets = task.encode(corpus.utterances, outputs)
    return Example(card, task, corpus, outputs, targets, values, pd.DataFrame(columns))


def test_its_table_entry_names_what_it_has(example: Example) -> None:
    card = example.card
    assert TASKS[card.name] is card
    assert card.headline in metric_names(card.metrics)
    assert card.selecting
    assert card.default_loss in losses_of(card.name)


def test_it_takes_the_arguments_of_the_contract(example: Example) -> None:
    wanted = {name: value for name, value in vars(Task).items() if inspect.isfunction(value)}
    for name in ("outputs", "encode", "make_loss", "score", "baselines"):
        parameters = list(inspect.signature(wanted[name]).parameters)[1:]
        assert list(inspect.signature(getattr(example.task, name)).parameters) == parameters


def test_it_encodes_one_number_an_utterance(example: Example) -> None:
    assert len(example.targets) == len(example.corpus.utterances)
    assert np.isfinite(example.targets).all()


def test_an_utterance_without_a_target_is_predicted_but_not_encoded(example: Example) -> None:
    nameless = [Utterance("unlabelled", Path("a.wav"))]
    columns = example.task.prediction_columns(nameless, example.values[:1], example.outputs)
    frame = pd.DataFrame(columns)
    assert list(frame.columns) == list(example.predictions.columns)
    pd.testing.assert_frame_equal(frame.iloc[:, 1:], example.predictions.iloc[:1, 1:])
    with pytest.raises(CorpusError, match=r"1 utterances have no target.*: unlabelled"):
        example.task.encode(nameless, example.outputs)


def test_a_network_knows_the_corpus_it_was_trained_on(example: Example) -> None:
    assert example.task.shared_outputs(example.outputs, example.corpus) == example.outputs


def test_its_losses_have_gradients_in_every_output(example: Example) -> None:
    targets = torch.tensor(example.targets)
    for name in losses_of(example.card.name):
        values = example.values.clone().requires_grad_()
        loss = example.task.make_loss(name, example.targets, example.outputs)(values, targets)
        loss.backward()
        assert loss.ndim == 0
        assert values.grad is not None
        assert values.grad.isfinite().all()
        assert (values.grad != 0).any(0).all()


def test_it_scores_its_metrics_and_notes_the_loss(example: Example) -> None:
    found = example.task.score(example.predictions, example.targets, 0.5)
    assert (found.utterances, found.loss) == (len(example.targets), 0.5)
    for metric in example.card.metrics:
        value = found.value(metric.name)
        assert value is not None
        assert not metric.share or 0 <= value <= 1
    for metric in example.card.details:
        found.value(metric.name)


def test_what_is_not_a_number_is_not_scored(example: Example) -> None:
    spoilt = example.predictions.copy()
    spoilt.iloc[0, -1] = float("nan")
    with pytest.raises(ValueError, match="not a number"):
        example.task.score(spoilt)


def test_baselines_are_those_of_the_card_with_all_metrics(example: Example) -> None:
    found = example.task.baselines(example.targets, example.targets, example.outputs)
    assert tuple(found) == example.card.baselines
    for scores in found.values():
        assert scores.utterances == len(example.targets)
        assert all(scores.value(name) is not None for name in metric_names(example.card.metrics))


def test_no_baseline_is_made_of_an_empty_split(example: Example) -> None:
    baselines = partial(example.task.baselines, outputs=example.outputs)
    for train, test in (((), example.targets), (example.targets, ())):
        with pytest.raises(ValueError, match=r"no utterances|empty"):
            baselines(train, test)


def test_its_statistics_give_the_scores_that_have_intervals(example: Example) -> None:
    statistics = example.task.sufficient_statistics
    wanted = [metric.name for metric in example.card.metrics if metric.has_interval]
    assert statistics is not None or not wanted
    if statistics is not None:
        parts = statistics.of_utterances(example.predictions)
        scores = statistics.scores(parts.sum(0, keepdims=True))
        whole = example.task.score(example.predictions)
        assert list(scores) == wanted
        assert {name: pytest.approx(value[0]) for name, value in scores.items()} == {
            name: whole.value(name) for name in wanted
        }
