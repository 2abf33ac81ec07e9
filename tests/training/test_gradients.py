"""Fits that are driven together learn what they learn one by one."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from fitting import encode, run_one, scorer
from quiet import Quiet
from running import result_of
from torch import Tensor, nn

import backbones
from backbones.base import Backbone
from harness.data.batches import LabelledSplit
from harness.data.prepared_corpus import cut_fold, labelled, prepare_corpus
from harness.model.building import build_model
from harness.model.losses import CrossEntropy, DistributionalRanking, WeightedCrossEntropy
from harness.model.ser_model import SERModel
from harness.specs import (
    BackboneSpec,
    CorpusSpec,
    HeadSpec,
    ProtocolSpec,
    TrainingSpec,
    Trial,
)
from harness.training import gradients
from harness.training.devices import make_accelerator
from harness.training.fit import FitOutcome, fit
from harness.training.fit_driver import Fitting, loss_of, run_fits
from harness.training.fit_inputs import AudioInputs
from harness.training.gradients import GradientRequest, side_by_side
from harness.training.prediction import predict

CLASSES = ("angry", "happy", "neutral", "sad")
HEADS = {
    "attention": HeadSpec(head_dim=16),
    "mean": HeadSpec(head_dim=16, pooling="mean", head_layers=2),
    "statistics": HeadSpec(head_dim=16, pooling="statistics", dropout=0.1),
    "weighted sum": HeadSpec(head_dim=16, layers="weighted_sum", dropout=0.0),
}
NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=[pytest.mark.gpu, NO_GPU])]


@pytest.fixture(scope="module")
def splits() -> tuple[LabelledSplit, LabelledSplit]:
    prepared = prepare_corpus(CorpusSpec(name="synthetic"), 96, Quiet())
    trial = Trial(
        corpus=CorpusSpec(name="synthetic"),
        protocol=ProtocolSpec(folds=4),
        fold=1,
        backbone=BackboneSpec(name="tiny-wavlm"),
    )
    fold = cut_fold(trial, prepared)
    return (
        labelled(prepared, fold.splits.train, encode=encode),
        labelled(prepared, fold.splits.dev, encode=encode),
    )


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return backbones.load("tiny-wavlm", init="random")


def training(rate: float = 3e-3, batch_seconds: float = 16, **stopping: Any) -> TrainingSpec:
    return TrainingSpec.model_validate(
        {
            "epochs": 4,
            "batch_seconds": batch_seconds,
            "precision": "float32",
            "learning_rate": {"head": rate, "backbone": 1e-3},
            "early_stopping": {"window": 1, "loss_factor": None} | stopping,
        }
    )


PLANS: list[tuple[int, Callable[[Sequence[int]], nn.Module], TrainingSpec]] = [
    (1, WeightedCrossEntropy, training()),
    (2, WeightedCrossEntropy, training()),
    (1, DistributionalRanking, training(rate=1e-3)),
    # other batches, and over after an epoch or two: dev loss may not rise at all
    (3, CrossEntropy, training(rate=0.03, batch_seconds=9, loss_factor=1.0001)),
]


def fits(
    backbone: Backbone,
    head: HeadSpec,
    splits: tuple[LabelledSplit, LabelledSplit],
    accelerator: Accelerator,
) -> tuple[list[SERModel], list[Fitting[FitOutcome]]]:
    models, work = [], []
    for seed, loss, spec in PLANS:
        model = build_model(backbone, head, len(CLASSES), 0, seed)
        inputs = (AudioInputs(split, model, accelerator) for split in splits)
        own = loss([1, 2, 3, 4])
        score = scorer(own, splits[1])
        work.append(fit(model, own, *inputs, score, spec, seed, accelerator))
        models.append(model)
    return models, work


def logits(models: Sequence[SERModel], split: LabelledSplit, accelerator: Accelerator) -> Tensor:
    found = [
        predict(model, AudioInputs(split, model, accelerator), 16, accelerator) for model in models
    ]
    return torch.stack(found)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_together_they_learn_what_they_learn_one_by_one(
    head: HeadSpec, device: str, backbone: Backbone, splits: tuple[LabelledSplit, LabelledSplit]
) -> None:
    accelerator = make_accelerator(device, "float32")
    alone, work = fits(backbone, head, splits, accelerator)
    one_by_one = [run_one(part, accelerator) for part in work]
    side, work = fits(backbone, head, splits, accelerator)
    together = result_of(run_fits(work, accelerator))
    assert len({outcome.steps for outcome in together}) > 1  # they did not end at the same time
    for ours, theirs in zip(together, one_by_one, strict=True):
        assert (ours.steps, ours.stopped, ours.best_epoch) == (
            theirs.steps,
            theirs.stopped,
            theirs.best_epoch,
        )
        for point, expected in zip(ours.curve, theirs.curve, strict=True):
            assert point.train_loss == pytest.approx(expected.train_loss, abs=1e-4)
    ours, theirs = (logits(models, splits[1], accelerator) for models in (side, alone))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)
    assert not torch.allclose(ours[0], ours[1], atol=1e-2)  # seeds differ


def test_batches_of_different_sizes_give_what_each_gives_alone(backbone: Backbone) -> None:
    torch.manual_seed(0)
    models = [build_model(backbone, HEADS["attention"], 4, 0, seed).eval() for seed in (1, 2, 3)]
    inputs = []
    for model, rows, samples in zip(models, (3, 5, 1), (9000, 6000, 16000), strict=True):
        lengths = torch.randint(samples // 2, samples, (rows,))
        lengths[0] = samples
        inputs.append((model, model.prefix(0.1 * torch.randn(rows, samples), lengths)))
    for found, (model, states) in zip(side_by_side(inputs), inputs, strict=True):
        torch.testing.assert_close(found, model.suffix(states))


def one_request(model: SERModel) -> Fitting[str]:
    states = model.prefix(torch.randn(2, 8000), torch.tensor([8000, 8000]))
    try:
        request = GradientRequest(model, states, lambda logits: logits.square().mean())
        loss = yield from loss_of(request)
    except ArithmeticError as error:
        return f"failed: {error}"
    return f"{float(loss) >= 0}"


def test_an_error_in_a_shared_pass_reaches_each_of_them(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    accelerator = make_accelerator("cpu", "float32")
    models = [build_model(backbone, HEADS["mean"], 4, 0, seed) for seed in (1, 2)]
    assert result_of(run_fits([one_request(model) for model in models], accelerator)) == [
        "True",
        "True",
    ]

    def broken(*_: object) -> None:
        raise ArithmeticError("no numbers left")

    monkeypatch.setattr(gradients, "side_by_side", broken)
    told = result_of(run_fits([one_request(model) for model in models], accelerator))
    assert told == ["failed: no numbers left"] * 2


def test_an_error_that_nobody_handles_comes_out_as_it_is(backbone: Backbone) -> None:
    accelerator = make_accelerator("cpu", "float32")
    model = build_model(backbone, HEADS["mean"], 4, 0, 1)

    def work() -> Fitting[None]:
        states = model.prefix(torch.randn(2, 8000), torch.tensor([8000, 8000]))
        yield GradientRequest(model, states, lambda logits: logits.reshape(3))

    with pytest.raises(RuntimeError, match="shape"):
        run_one(work(), accelerator)
