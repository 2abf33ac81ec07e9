import pytest

from harness.config.matrix import expand
from harness.config.suite_loading import load_suite
from harness.runs.side_by_side import MOST, side_by_side_batches
from harness.specs import Trial


def trials(*changes: str) -> list[Trial]:
    changes = ("corpora=[synthetic]", "backbones=[tiny-wavlm]", *changes)
    return list(expand(load_suite("smoke", changes), lambda spec: (1,), 96))


def sizes(chosen: list[Trial], device: str = "cuda") -> list[int]:
    return [len(batch) for batch in side_by_side_batches(chosen, device, lambda trial: True)]


FROZEN = ("matrix.finetune_layers=[0]", "matrix.seed=[1, 2, 3]", "matrix.loss=[cross_entropy, dr]")


def test_frozen_trials_share_their_passes_on_a_gpu() -> None:
    assert sizes(trials(*FROZEN)) == [6]
    assert sizes(trials(*FROZEN), device="cpu") == [1] * 6


def test_rates_may_differ_and_heads_may_not() -> None:
    assert sizes(trials(*FROZEN, "matrix.learning_rate.head=[1.0e-3]")) == [6]
    mixed = trials(*FROZEN) + trials(*FROZEN, "head.head_dim=32")
    assert [
        len({trial.head for trial in batch}) for batch in side_by_side_batches(mixed, "cuda", bool)
    ] == [
        1,
        1,
    ]


@pytest.mark.parametrize(
    "change",
    ["matrix.finetune_layers=[1]", "training.precision=fp16", "training.time_limit_s=60"],
)
def test_others_stay_alone(change: str) -> None:
    assert sizes(trials(*FROZEN, change)) == [1] * 6


def test_trials_whose_frames_are_not_kept_stay_alone() -> None:
    batches = side_by_side_batches(trials(*FROZEN), "cuda", lambda trial: False)
    assert [len(batch) for batch in batches] == [1] * 6


def test_no_trial_is_lost_and_not_too_many_are_together() -> None:
    chosen = trials("matrix.finetune_layers=[0, 1]", "matrix.seed=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]")
    batches = side_by_side_batches(chosen, "cuda", lambda trial: True)
    ids = [trial.trial_id for batch in batches for trial in batch]
    assert sorted(ids) == sorted(trial.trial_id for trial in chosen)
    assert max(map(len, batches)) == MOST
