"""A fit that stops anywhere and goes on from its state ends as if it had never stopped."""

from pathlib import Path
from typing import Any

import pytest
import torch
from fitting import Splits, first_fold, run_one, scorer
from quiet import Quiet

import backbones
from harness.data.prepared_corpus import prepare_corpus
from harness.errors import TrialTimeout, UserError
from harness.model.building import build_model
from harness.model.losses import CrossEntropy
from harness.model.ser_model import SERModel
from harness.specs import CorpusSpec, HeadSpec, TrainingSpec
from harness.training.devices import make_accelerator
from harness.training.fit import FitOutcome, fit
from harness.training.fit_checkpoints import Checkpoints, FitCheckpoint
from harness.training.fit_driver import StepEnded, run_fits
from harness.training.fit_inputs import AudioInputs

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


def model_for(finetune_layers: int) -> SERModel:
    backbone = backbones.load("tiny-wavlm", init="random")
    return build_model(backbone, HeadSpec(head_dim=16, dropout=0.2), 4, finetune_layers, seed=1)


def fitting(model: SERModel, splits: Splits, folder: Path | None = None, **changes: Any) -> Any:
    spec = TRAINING.model_copy(update=changes)
    accelerator = make_accelerator("cpu", spec.precision)
    loss = CrossEntropy([1] * 4)
    inputs = (AudioInputs(split, model, accelerator) for split in splits)
    score = scorer(loss, splits[1])
    checkpoint = FitCheckpoint(Checkpoints(folder, every_s=0.0))
    return fit(model, loss, *inputs, score, spec, 1, accelerator, checkpoint), accelerator


def stopped_after(steps: int, work: Any) -> None:
    """Go so far, and no further; what was saved is what there was after the step before."""
    for event in run_fits([work[0]], work[1]):
        if isinstance(event, StepEnded) and event.steps == steps + 1:
            return
    pytest.fail("it has fewer steps")


def losses(outcome: FitOutcome) -> list[tuple[float, float, float]]:
    return [(e.train_loss, e.dev_loss, e.dev_average) for e in outcome.curve]


@pytest.mark.parametrize("finetune_layers", [0, 2])
@pytest.mark.parametrize("steps", [1, 4, 5, 11])
def test_a_fit_goes_on_from_any_step_as_if_it_had_never_stopped(
    steps: int, finetune_layers: int, splits: Splits, tmp_path: Path
) -> None:
    whole = model_for(finetune_layers)
    expected = run_one(*fitting(whole, splits))
    stopped_after(steps, fitting(model_for(finetune_layers), splits, tmp_path))
    torch.manual_seed(99)  # as in another process, whose random numbers are elsewhere
    resumed = model_for(finetune_layers)
    work, accelerator = fitting(resumed, splits, tmp_path)
    seen = [e.steps for e in run_fits([work], accelerator) if isinstance(e, StepEnded)]
    found = run_one(*fitting(model_for(finetune_layers), splits, tmp_path))
    assert seen[0] == steps + 1
    assert losses(found) == losses(expected)
    assert (found.steps, found.best_epoch) == (expected.steps, expected.best_epoch)
    for name, tensor in whole.trained_state().items():
        assert torch.equal(tensor, resumed.trained_state()[name]), name


def saved_in(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = torch.load(folder / "fit-0.pt", weights_only=True)
    return found


def test_a_fit_that_had_stopped_early_trains_no_further(splits: Splits, tmp_path: Path) -> None:
    stopped_after(11, fitting(model_for(0), splits, tmp_path))
    saved = saved_in(tmp_path)
    saved["state"]["models"][0]["stopped"] = "dev_loss"
    torch.save(saved, tmp_path / "fit-0.pt")
    outcome = run_one(*fitting(model_for(0), splits, tmp_path))
    assert (outcome.steps, outcome.stopped) == (11, "dev_loss")


def test_the_time_of_before_counts_towards_the_limit(splits: Splits, tmp_path: Path) -> None:
    stopped_after(2, fitting(model_for(0), splits, tmp_path))
    saved = saved_in(tmp_path)
    saved["state"]["wall_s"] += 100.0
    torch.save(saved, tmp_path / "fit-0.pt")
    with pytest.raises(TrialTimeout):
        run_one(*fitting(model_for(0), splits, tmp_path, time_limit_s=60.0))


def test_a_state_of_another_model_is_refused(splits: Splits, tmp_path: Path) -> None:
    stopped_after(2, fitting(model_for(0), splits, tmp_path))
    with pytest.raises(UserError, match="does not fit"):
        run_one(*fitting(model_for(2), splits, tmp_path))
