"""Arithmetic on a machine on which every batch takes a second to a step and one to a depth."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

import backbones
from harness.data.batches import bucketed
from harness.data.prepared_corpus import Ground, cut_fold, labelled
from harness.profiling.estimation.backbone_profile import Gauge
from harness.profiling.estimation.calibration import Sample
from harness.profiling.estimation.forecast import Amount, amount
from harness.specs import Trial
from harness.training.devices import make_accelerator

Trials = Callable[..., tuple[Trial, ...]]


@dataclass
class SecondABatch(Gauge):
    def prefix_s(self, rows: int, frames: int, depth: int) -> float:
        return 1.0

    def suffix_s(self, rows: int, frames: int, trial: Trial, *, learning: bool) -> float:
        return 1.0 if learning else 0.0


@pytest.fixture
def gauge() -> Gauge:
    accelerator = make_accelerator("cpu", "float32")
    return SecondABatch(backbones.load("tiny-wavlm"), Sample(1.0, 8), accelerator)


@pytest.fixture
def wavlm(trials: Trials) -> Trials:
    return lambda *changes: trials("backbones=[tiny-wavlm]", *changes)


def test_frames_are_computed_once_for_all_depths_seeds_and_losses(
    wavlm: Trials, ground: Ground, gauge: Gauge
) -> None:
    one = amount(wavlm("matrix.finetune_layers=[0]"), ground, gauge)
    many = amount(wavlm("matrix.seed=[1, 2]"), ground, gauge)
    assert one.extraction_s == many.extraction_s == len(bucketed(_lengths(ground), 64.0))
    assert many.training_s == 6 * one.training_s
    assert many.frames_bytes == 3 * one.frames_bytes


def test_training_takes_as_many_steps_as_a_fit(wavlm: Trials, ground: Ground, gauge: Gauge) -> None:
    (trial,) = wavlm("matrix.finetune_layers=[1]", "training.epochs=3")
    train = labelled(ground, cut_fold(trial, ground).splits.train)
    steps = len(bucketed(train.seconds(), trial.training.batch_seconds))
    assert amount([trial], ground, gauge).training_s == 3 * steps


def test_without_kept_frames_every_batch_goes_through_the_prefix(
    wavlm: Trials, ground: Ground, gauge: Gauge
) -> None:
    (trial,) = wavlm("matrix.finetune_layers=[1]", "training.epochs=1")
    kept, computed = amount([trial], ground, gauge), amount([trial], ground, gauge, "off")
    assert (computed.extraction_s, computed.frames_bytes) == (0.0, 0)
    assert computed.training_s > 2 * kept.training_s  # dev and test too


def test_what_is_cropped_goes_through_the_prefix_in_every_epoch(
    wavlm: Trials, ground: Ground, gauge: Gauge
) -> None:
    changes = ("matrix.finetune_layers=[1]", "training.epochs=1", "training.batch_seconds=1")
    whole = amount(wavlm(*changes), ground, gauge)
    cropped = amount(wavlm(*changes, "training.crop_s=0.5"), ground, gauge)
    assert cropped.extraction_s == whole.extraction_s
    assert cropped.training_s / _steps(wavlm, ground, 0.5) == 2


def test_half_precision_takes_half_the_disk(wavlm: Trials, ground: Ground, gauge: Gauge) -> None:
    whole = amount(wavlm(), ground, gauge)
    assert 2 * amount(wavlm(), ground, gauge, "fp16").frames_bytes == whole.frames_bytes


def test_released_layers_cost_more_the_more_there_are(
    wavlm: Trials, ground: Ground, gauge: Gauge
) -> None:
    real = Gauge(gauge.backbone, Sample(1.0, 8), gauge.accelerator)
    none, two = wavlm("matrix.finetune_layers=[0, 2]")
    (everything,) = wavlm("matrix.finetune_layers=[all]")
    seconds = [real.suffix_s(8, 50, trial, learning=True) for trial in (none, two, everything)]
    assert seconds == sorted(seconds)
    assert everything.finetune_layers == "all"
    assert seconds[2] - seconds[0] == pytest.approx(2 * (seconds[1] - seconds[0]))
    assert not any(p.requires_grad for p in real.backbone.parameters())


def test_amounts_add_up_part_by_part() -> None:
    assert Amount(1, 2, 3) + Amount(10, 20, 30) == Amount(11, 22, 33)
    assert Amount(1, 2).wall_s == 3


def _lengths(ground: Ground) -> list[float]:
    return [fact.duration_s or 0.0 for fact in ground.facts]


def _steps(wavlm: Trials, ground: Ground, crop_s: float) -> int:
    (trial,) = wavlm("matrix.finetune_layers=[1]", "training.batch_seconds=1")
    train = labelled(ground, cut_fold(trial, ground).splits.train, crop_s)
    return len(bucketed(train.seconds(), 1))
