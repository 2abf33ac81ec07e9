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
from harness.training.devices import make_accelerator
from harness.training.fit import FitOutcome, fit, fit_all
from harness.training.fit_driver import Fitting, losses_of, run_fits
from harness.training.fit_inputs import AudioInputs
from harness.training.gradients import GradientPasses, GradientRequest
from harness.training.head_stack import HeadStack
from harness.training.prediction import predict
from harness.training.stacked_layers import apply_stacked

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


def assert_same_course(found: FitOutcome, expected: FitOutcome) -> None:
    assert (found.steps, found.stopped, found.best_epoch) == (
        expected.steps,
        expected.stopped,
        expected.best_epoch,
    )
    for ours, theirs in zip(found.curve, expected.curve, strict=True):
        assert ours.train_loss == pytest.approx(theirs.train_loss, abs=1e-4)


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
    for found, expected in zip(together, one_by_one, strict=True):
        assert_same_course(found, expected)
    ours, theirs = (logits(models, splits[1], accelerator) for models in (side, alone))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)
    assert not torch.allclose(ours[0], ours[1], atol=1e-2)  # seeds differ


CANDIDATES = [
    ({"dropout": 0.5}, training()),
    ({"dropout": 0.5}, training(rate=1e-3)),
    ({"dropout": 0.0}, training()),
    ({"dropout": 0.5}, training(rate=0.3, loss_factor=1.0)),  # over before the others
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
def test_candidates_in_one_pass_learn_what_they_learn_alone(
    head: HeadSpec, device: str, backbone: Backbone, splits: tuple[LabelledSplit, LabelledSplit]
) -> None:
    accelerator = make_accelerator(device, "float32")
    loss = WeightedCrossEntropy([1, 2, 3, 4])

    def learned(places: Sequence[int]) -> tuple[list[Any], Tensor]:
        heads = [head.model_copy(update=CANDIDATES[place][0]) for place in places]
        models = [build_model(backbone, own, len(CLASSES), 0, 1) for own in heads]
        inputs = (AudioInputs(split, models[0], accelerator) for split in splits)
        specs = [CANDIDATES[place][1] for place in places]
        work = fit_all(models, loss, *inputs, scorer(loss, splits[1]), specs, 1, accelerator)
        return run_one(work, accelerator), logits(models, splits[1], accelerator)

    together, ours = learned(range(len(CANDIDATES)))
    alone = [learned([place]) for place in range(len(CANDIDATES))]
    assert len({outcome.steps for outcome in together}) > 1
    for found, ((expected,), _) in zip(together, alone, strict=True):
        assert_same_course(found, expected)
    theirs = torch.cat([values for _, values in alone])
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)
    assert not torch.allclose(ours[0], ours[1], atol=1e-2)


def test_a_layer_that_cannot_be_stacked_says_so() -> None:
    layers = [nn.PReLU(), nn.PReLU()]
    with pytest.raises(TypeError, match="PReLU cannot be stacked"):
        apply_stacked(layers, {"weight": torch.ones(2, 1)}, torch.ones(3, 4), [3, 3])


def test_batches_of_different_sizes_give_what_each_gives_alone(backbone: Backbone) -> None:
    torch.manual_seed(0)
    models = [build_model(backbone, HEADS["attention"], 4, 0, seed).eval() for seed in (1, 2, 3)]
    inputs = []
    for model, rows, samples in zip(models, (3, 5, 1), (9000, 6000, 16000), strict=True):
        lengths = torch.randint(samples // 2, samples, (rows,))
        lengths[0] = samples
        inputs.append((model, model.prefix(0.1 * torch.randn(rows, samples), lengths)))
    expected = [model.suffix(states) for model, states in inputs]
    found = HeadStack(models).outputs([states for _, states in inputs])
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def one_request(model: SERModel) -> Fitting[str]:
    states = model.prefix(torch.randn(2, 8000), torch.tensor([8000, 8000]))
    try:
        request = GradientRequest(model, states, lambda logits: logits.square().mean())
        (loss,) = yield from losses_of(request)
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

    monkeypatch.setattr(GradientPasses, "add", broken)
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
