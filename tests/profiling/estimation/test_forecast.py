"""Arithmetic on a machine on which every batch takes a second to a step and one to a depth."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

import backbones
from harness.data.batches import bucketed
from harness.data.prepared_corpus import PreparedCorpus, cut_fold, labelled
from harness.profiling.estimation.backbone_profile import BackboneProfile
from harness.profiling.estimation.calibration import CalibrationBatch
from harness.profiling.estimation.forecast import Amount, amount
from harness.specs import Trial
from harness.tasks import TASKS
from harness.training.devices import make_accelerator

Trials = Callable[..., tuple[Trial, ...]]


@dataclass
class SecondABatch(BackboneProfile):
    def prefix_s(self, rows: int, frames: int, depth: int) -> float:
        return 1.0

    def suffix_s(self, rows: int, frames: int, trial: Trial, *, training: bool) -> float:
        return 1.0 if training else 0.0


@pytest.fixture
def profile() -> BackboneProfile:
    accelerator = make_accelerator("cpu", "float32")
    return SecondABatch(backbones.load("tiny-wavlm"), CalibrationBatch(1.0, 8), accelerator)


@pytest.fixture
def wavlm(trials: Trials) -> Trials:
    return lambda *changes: trials("backbones=[tiny-wavlm]", *changes)


@pytest.fixture
def no_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    card = TASKS["classification"]
    monkeypatch.setitem(TASKS, card.name, replace(card, probes={}))  # type: ignore[arg-type]


def test_probes_need_two_vectors_an_utterance(
    wavlm: Trials, prepared: PreparedCorpus, profile: BackboneProfile, request: Any
) -> None:
    chosen = wavlm("matrix.finetune_layers=[0]")
    with_probes = amount(chosen, prepared, profile).frames_bytes
    request.getfixturevalue("no_probes")
    without = amount(chosen, prepared, profile).frames_bytes
    assert with_probes - without == 2 * 64 * 4 * len(_lengths(prepared))


@pytest.mark.usefixtures("no_probes")
def test_frames_are_computed_once_for_all_depths_seeds_and_losses(
    wavlm: Trials, prepared: PreparedCorpus, profile: BackboneProfile
) -> None:
    one = amount(wavlm("matrix.finetune_layers=[0]"), prepared, profile)
    many = amount(wavlm("matrix.seed=[1, 2]"), prepared, profile)
    assert one.extraction_s == many.extraction_s == len(bucketed(_lengths(prepared), 64.0))
    assert many.training_s == 6 * one.training_s
    assert many.frames_bytes == 3 * one.frames_bytes


def test_training_takes_as_many_steps_as_a_fit(
    wavlm: Trials, prepared: PreparedCorpus, profile: BackboneProfile
) -> None:
    (trial,) = wavlm("matrix.finetune_layers=[1]", "training.epochs=3")
    train = labelled(prepared, cut_fold(trial, prepared).splits.train)
    steps = len(bucketed(train.seconds(), trial.training.batch_seconds))
    assert amount([trial], prepared, profile).training_s == 3 * steps


def test_without_kept_frames_every_batch_goes_through_the_prefix(
    wavlm: Trials, prepared: PreparedCorpus, profile: BackboneProfile
) -> None:
    (trial,) = wavlm("matrix.finetune_layers=[1]", "training.epochs=1")
    kept, computed = amount([trial], prepared, profile), amount([trial], prepared, profile, "off")
    assert (computed.extraction_s, computed.frames_bytes) == (0.0, 0)
    assert computed.training_s > 2 * kept.training_s  # dev and test too


def test_what_is_cropped_goes_through_the_prefix_in_every_epoch(
    wavlm: Trials, prepared: PreparedCorpus, profile: BackboneProfile
) -> None:
    changes = ("matrix.finetune_layers=[1]", "training.epochs=1", "training.batch_seconds=1")
    whole = amount(wavlm(*changes), prepared, profile)
    cropped = amount(wavlm(*changes, "training.crop_s=0.5"), prepared, profile)
    assert cropped.extraction_s == whole.extraction_s
    # of the epoch the prefix and the step; the prefix before it to standardise, twice, and after
    # it to score train
    assert cropped.training_s / _steps(wavlm, prepared, 0.5) == 5


@pytest.mark.usefixtures("no_probes")
def test_half_precision_takes_half_the_disk(
    wavlm: Trials, prepared: PreparedCorpus, profile: BackboneProfile
) -> None:
    whole = amount(wavlm(), prepared, profile)
    assert 2 * amount(wavlm(), prepared, profile, "fp16").frames_bytes == whole.frames_bytes


def test_released_layers_cost_more_the_more_there_are(
    wavlm: Trials, prepared: PreparedCorpus, profile: BackboneProfile
) -> None:
    real = BackboneProfile(profile.backbone, CalibrationBatch(1.0, 8), profile.accelerator)
    none, two = wavlm("matrix.finetune_layers=[0, 2]")
    (everything,) = wavlm("matrix.finetune_layers=[all]")
    seconds = [real.suffix_s(8, 50, trial, training=True) for trial in (none, two, everything)]
    assert seconds == sorted(seconds)
    assert everything.finetune_layers == "all"
    assert seconds[2] - seconds[0] == pytest.approx(2 * (seconds[1] - seconds[0]))
    assert not any(p.requires_grad for p in real.backbone.parameters())


def test_amounts_add_up_part_by_part() -> None:
    assert Amount(1, 2, 3) + Amount(10, 20, 30) == Amount(11, 22, 33)
    assert Amount(1, 2).wall_s == 3


def _lengths(prepared: PreparedCorpus) -> list[float]:
    return [info.duration_s or 0.0 for info in prepared.audio_info]


def _steps(wavlm: Trials, prepared: PreparedCorpus, crop_s: float) -> int:
    (trial,) = wavlm("matrix.finetune_layers=[1]", "training.batch_seconds=1")
    train = labelled(prepared, cut_fold(trial, prepared).splits.train, crop_s)
    return len(bucketed(train.seconds(), 1))
