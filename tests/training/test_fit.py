"""The training loop on a real tiny backbone and real (synthetic) speech."""

from dataclasses import replace

import pytest
import torch
from fitting import Splits, first_fold, run_one, scorer
from quiet import Quiet
from torch import Tensor
from torch.nn import functional

import backbones
from harness.data.batches import LabelledSplit
from harness.data.prepared_corpus import PreparedCorpus, prepare_corpus
from harness.errors import TrialError, TrialTimeout
from harness.model.building import build_model
from harness.model.losses import CrossEntropy
from harness.model.ser_model import SERModel
from harness.specs import (
    CorpusSpec,
    HeadSpec,
    TrainingSpec,
)
from harness.training.devices import make_accelerator
from harness.training.fit import FitOutcome, Score, fit
from harness.training.fit_driver import FitEvent, Fitting
from harness.training.fit_inputs import AudioInputs
from harness.training.gradients import GradientRequest
from harness.training.optimisation import make_optimizer, warmup_then_linear
from harness.training.prediction import predict

TRAINING = TrainingSpec.model_validate(
    {
        "epochs": 2,
        "batch_seconds": 16,
        "precision": "float32",
        "learning_rate": {"head": 3e-3, "backbone": 1e-3},
        "early_stopping": {"window": 1, "loss_factor": None},
    }
)


@pytest.fixture(scope="module")
def prepared() -> PreparedCorpus:
    return prepare_corpus(CorpusSpec(name="synthetic"), 96, Quiet())


@pytest.fixture(scope="module")
def splits(prepared: PreparedCorpus) -> Splits:
    return first_fold(prepared)


def model_for(finetune_layers: int = 1, seed: int = 1) -> SERModel:
    backbone = backbones.load("tiny-wavlm", init="random")
    return build_model(backbone, HeadSpec(head_dim=16, dropout=0.1), 4, finetune_layers, seed)


def run(
    model: SERModel,
    splits: Splits,
    spec: TrainingSpec = TRAINING,
    seed: int = 1,
    score: Score | None = None,
    events: list[FitEvent] | None = None,
) -> FitOutcome:
    accelerator = make_accelerator("cpu", spec.precision)
    loss = CrossEntropy([1] * 4)
    inputs = (AudioInputs(split, model, accelerator) for split in splits)
    chosen = score or scorer(loss, splits[1])
    work = fit(model, loss, *inputs, chosen, spec, seed, accelerator)
    return run_one(noted(work, events), accelerator)


def noted(work: Fitting[FitOutcome], events: list[FitEvent] | None) -> Fitting[FitOutcome]:
    """The same work, whose events are also put on a list."""
    answer = None
    while True:
        try:
            item = work.send(answer)
        except StopIteration as end:
            return end.value
        if events is not None and not isinstance(item, GradientRequest):
            events.append(item)
        answer = yield item


def logits_of(model: SERModel, split: LabelledSplit) -> Tensor:
    accelerator = make_accelerator("cpu", "float32")
    return predict(model, AudioInputs(split, model, accelerator), 16, accelerator)


def test_the_loss_falls_and_every_epoch_is_on_the_curve(
    splits: Splits,
) -> None:
    outcome = run(model_for(), splits, TRAINING.model_copy(update={"epochs": 4}))
    assert [point.epoch for point in outcome.curve] == [1, 2, 3, 4]
    assert outcome.curve[-1].train_loss < 0.97 * outcome.curve[0].train_loss
    assert outcome.stopped == "epochs"


def test_the_train_loss_is_the_mean_over_utterances_whatever_the_batches(
    splits: Splits,
) -> None:
    train = replace(splits[0], crop_s=None)
    backbone = backbones.load("tiny-wavlm", init="random")
    model = build_model(backbone, HeadSpec(head_dim=16, dropout=0.0), 4, 0, seed=1)
    still = {"head": 1e-12, "backbone": 1e-12}
    for changes in ({"batch_seconds": 7.0}, {"batch_seconds": 16.0, "accumulation_steps": 2}):
        spec = TrainingSpec.model_validate(
            TRAINING.model_dump() | changes | {"learning_rate": still}
        )
        outcome = run(model, (train, splits[1]), spec)
        # by the model that the fit has standardised on train, and left as it was beside that
        expected = functional.cross_entropy(logits_of(model, train), torch.tensor(train.targets))
        for point in outcome.curve:
            assert point.train_loss == pytest.approx(float(expected), rel=1e-4)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
    splits: Splits,
) -> None:
    states = []
    for seed in (1, 1, 2):
        model = model_for(seed=seed)
        run(model, splits, seed=seed)
        states.append(torch.cat([t.flatten() for t in model.trained_state().values()]))
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


@pytest.mark.parametrize("finetune_layers", [0, 1])
def test_only_the_head_and_the_released_layers_change(finetune_layers: int, splits: Splits) -> None:
    model = model_for(finetune_layers)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    run(model, splits)
    changed = {
        name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])
    }
    top = f"backbone.layers.{len(model.backbone.layers) - 1}."
    released = {name for name in before if finetune_layers and name.startswith(top)}
    head = {name for name in before if not name.startswith("backbone.")}
    assert head
    assert bool(released) == (finetune_layers > 0)
    assert changed == head | released


def test_the_model_is_left_with_the_weights_of_its_best_epoch(
    splits: Splits,
) -> None:
    _, dev = splits
    spec = TRAINING.model_copy(update={"epochs": 5})
    model = model_for()
    outcome = run(model, splits, spec)
    best = max(outcome.curve, key=lambda point: point.dev_average)
    assert outcome.best_epoch == best.epoch
    logits = logits_of(model, dev)
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(dev.targets))
    assert float(loss) == pytest.approx(best.dev_loss, rel=1e-4)


def test_an_epoch_that_is_not_the_last_is_put_back(
    splits: Splits,
) -> None:
    falling = iter([0.9, 0.5, 0.1])
    honest = scorer(CrossEntropy([1] * 4), splits[1])
    model = model_for()
    outcome = run(
        model,
        splits,
        TRAINING.model_copy(update={"epochs": 3}),
        score=lambda logits: (honest(logits)[0], next(falling)),
    )
    assert outcome.best_epoch == 1
    logits = logits_of(model, splits[1])
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(splits[1].targets))
    assert float(loss) == pytest.approx(outcome.curve[0].dev_loss, rel=1e-4)
    assert outcome.curve[0].dev_loss != pytest.approx(outcome.curve[-1].dev_loss, rel=1e-3)


def test_accumulating_two_batches_halves_the_steps(
    splits: Splits,
) -> None:
    whole = run(model_for(), splits)
    halved = run(model_for(), splits, TRAINING.model_copy(update={"accumulation_steps": 2}))
    assert whole.steps / 2 <= halved.steps <= whole.steps / 2 + 2


def test_a_time_limit_ends_a_fit_that_is_still_being_planned(splits: Splits) -> None:
    spec = TRAINING.model_copy(update={"epochs": 100_000, "time_limit_s": 0.5})
    events: list[FitEvent] = []
    with pytest.raises(TrialTimeout, match="time_limit_s"):
        run(model_for(), splits, spec, events=events)
    assert events == []  # not a step was taken


def test_a_time_limit_ends_a_fit(splits: Splits) -> None:
    with pytest.raises(TrialTimeout, match="time_limit_s"):
        run(model_for(), splits, TRAINING.model_copy(update={"time_limit_s": 1e-6}))


def test_a_loss_that_is_no_longer_a_number_is_an_error_that_says_what_to_do(
    splits: Splits,
) -> None:
    model = model_for()
    with torch.no_grad():
        model.classifier[-1].bias.fill_(float("nan"))
    with pytest.raises(TrialError, match="lower the learning rates"):
        run(model, splits)


def test_head_and_backbone_have_rates_of_their_own_and_norms_are_not_decayed() -> None:
    model = model_for(finetune_layers=2)
    groups = make_optimizer(model, TRAINING).param_groups
    assert {(group["lr"], group["weight_decay"]) for group in groups} == {
        (3e-3, 0.01), (3e-3, 0.0), (1e-3, 0.01), (1e-3, 0.0),
    }  # fmt: skip
    held = sum(p.numel() for group in groups for p in group["params"])
    assert held == model.trainable_parameters()
    for group in groups:
        assert all((p.ndim > 1) == (group["weight_decay"] > 0) for p in group["params"])


def test_the_rate_rises_to_its_peak_and_falls_to_zero() -> None:
    factor = warmup_then_linear(steps=100, warmup_share=0.1)
    values = [factor(step) for step in range(101)]
    assert values[:10] == sorted(values[:10])
    assert max(values) == 1.0
    assert values[10:] == sorted(values[10:], reverse=True)
    assert values[-1] == 0.0


def test_predictions_come_in_the_order_of_the_split(
    splits: Splits,
) -> None:
    _, dev = splits
    model = model_for()
    together = logits_of(model, dev)
    for index in (0, len(dev.targets) - 1):
        one = LabelledSplit(
            dev.utterances[index : index + 1],
            dev.targets[index : index + 1],
            dev.durations_s[index : index + 1],
        )
        torch.testing.assert_close(logits_of(model, one)[0], together[index], atol=1e-4, rtol=1e-4)


def test_training_crops_are_cut_anew_each_epoch(
    splits: Splits,
) -> None:
    from harness.data.batches import load_batch

    train = replace(splits[0], crop_s=0.5)
    first, again, other = (load_batch(train, [0, 1], seed) for seed in ((1, 1), (1, 1), (1, 2)))
    assert first.waveforms.shape == (2, 8000)
    assert torch.equal(first.waveforms, again.waveforms)
    assert not torch.equal(first.waveforms, other.waveforms)
