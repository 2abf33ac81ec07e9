"""A fit that stops after an epoch and goes on from its state ends as if it had never stopped."""

import io
from typing import Any

import pytest
import torch
from fitting import Splits, first_fold, run_one, scorer
from quiet import Quiet

import backbones
from harness.data.prepared_corpus import prepare_corpus
from harness.errors import UserError
from harness.model.building import build_model
from harness.model.losses import CrossEntropy
from harness.model.ser_model import SERModel
from harness.specs import CorpusSpec, HeadSpec, TrainingSpec
from harness.training import fit as fit_module
from harness.training.devices import make_accelerator
from harness.training.fit import FitOutcome, fit
from harness.training.fit_driver import EpochEnded, run_fits
from harness.training.fit_inputs import AudioInputs
from harness.training.training_state import TrainingState

TRAINING = TrainingSpec.model_validate(
    {
        "epochs": 4,
        "batch_seconds": 16,
        "precision": "float32",
        "learning_rate": {"head": 3e-3, "backbone": 1e-3},
        "early_stopping": {"window": 2, "loss_factor": None},
    }
)


@pytest.fixture(scope="module")
def splits() -> Splits:
    prepared = prepare_corpus(CorpusSpec(name="synthetic"), 64, Quiet())
    return first_fold(prepared)


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> list[TrainingState]:
    """The states of the fits that begin, the latest last."""
    begun: list[TrainingState] = []
    start = TrainingState.start

    def remembered(*arguments: Any) -> TrainingState:
        begun.append(start(*arguments))
        return begun[-1]

    monkeypatch.setattr(fit_module.TrainingState, "start", remembered)
    return begun


def model_for(finetune_layers: int) -> SERModel:
    backbone = backbones.load("tiny-wavlm", init="random")
    return build_model(backbone, HeadSpec(head_dim=16, dropout=0.2), 4, finetune_layers, seed=1)


def fitting(model: SERModel, splits: Splits, saved: Any = None, **changes: Any) -> Any:
    spec = TRAINING.model_copy(update=changes)
    accelerator = make_accelerator("cpu", spec.precision)
    loss = CrossEntropy([1] * 4)
    inputs = (AudioInputs(split, model, accelerator) for split in splits)
    score = scorer(loss, splits[1])
    return fit(model, loss, *inputs, score, spec, 1, accelerator, saved), accelerator


def saved_after(epochs: int, work: Any, states: list[TrainingState]) -> dict[str, Any]:
    """A fit's state after some epochs, written and safely read; the fit goes no further."""
    for event in run_fits([work[0]], work[1]):
        if isinstance(event, EpochEnded) and event.result.epoch == epochs:
            break
    file = io.BytesIO()
    torch.save(states[-1].state_dict(), file)
    file.seek(0)
    found: dict[str, Any] = torch.load(file, weights_only=True)
    return found


def losses(outcome: FitOutcome) -> list[tuple[float, float, float]]:
    return [(e.train_loss, e.dev_loss, e.dev_average) for e in outcome.curve]


@pytest.mark.parametrize("finetune_layers", [0, 2])
@pytest.mark.parametrize("epochs", [1, 3])
def test_a_fit_goes_on_from_its_state_as_if_it_had_never_stopped(
    epochs: int, finetune_layers: int, splits: Splits, states: list[TrainingState]
) -> None:
    whole = model_for(finetune_layers)
    expected = run_one(*fitting(whole, splits))
    saved = saved_after(epochs, fitting(model_for(finetune_layers), splits), states)
    torch.manual_seed(99)  # as in another process, whose random numbers are elsewhere
    resumed = model_for(finetune_layers)
    found = run_one(*fitting(resumed, splits, saved))
    assert losses(found) == losses(expected)
    assert (found.steps, found.best_epoch) == (expected.steps, expected.best_epoch)
    for name, tensor in whole.trained_state().items():
        assert torch.equal(tensor, resumed.trained_state()[name]), name


def test_a_fit_that_had_stopped_early_trains_no_further(
    splits: Splits, states: list[TrainingState]
) -> None:
    work = fitting(model_for(0), splits, early_stopping=TRAINING.early_stopping)
    saved = saved_after(2, work, states) | {"stopped": "dev_loss"}
    outcome = run_one(*fitting(model_for(0), splits, saved))
    assert (len(outcome.curve), outcome.stopped) == (2, "dev_loss")


def test_the_time_of_before_counts_towards_the_limit(
    splits: Splits, states: list[TrainingState]
) -> None:
    saved = saved_after(1, fitting(model_for(0), splits), states) | {"fit_wall_s": 100.0}
    outcome = run_one(*fitting(model_for(0), splits, saved))
    assert outcome.fit_wall_s > 100.0


def test_a_state_of_another_model_is_refused(splits: Splits, states: list[TrainingState]) -> None:
    saved = saved_after(1, fitting(model_for(0), splits), states)
    with pytest.raises(UserError, match="does not fit"):
        run_one(*fitting(model_for(2), splits, saved))
