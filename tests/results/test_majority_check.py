"""Whether a backbone beats guessing the majority class."""

from typing import Any

from harness.results.majority_check import shortfalls


def scored(run: Any, trial: Any, accuracy: float, guess: float = 0.4) -> None:
    record = run.add(trial)
    test = record.metrics["test"].model_copy(update={"accuracy": accuracy})
    majority = record.baselines["majority"].model_copy(update={"accuracy": guess})
    baselines = record.baselines | {"majority": majority}
    run.records[-1] = record.model_copy(update={"metrics": {"test": test}, "baselines": baselines})


def test_the_best_group_of_a_backbone_must_beat_the_majority(empty_run: Any, trial: Any) -> None:
    scored(empty_run, trial("wavlm-base", finetune_layers=0), 0.3)
    scored(empty_run, trial("wavlm-base", finetune_layers=3), 0.5)
    assert shortfalls(empty_run.records) == []
    scored(empty_run, trial("logmel"), 0.4)
    (line,) = shortfalls(empty_run.records)
    assert line == (
        "logmel on ravdess: accuracy 0.400 does not beat guessing the majority class, 0.400"
    )


def test_the_better_of_both_majorities_is_to_be_beaten(empty_run: Any, trial: Any) -> None:
    scored(empty_run, trial(), 0.6, guess=0.1)
    record = empty_run.records[0]
    always = record.baselines["test majority"].model_copy(update={"accuracy": 0.75})
    baselines = record.baselines | {"test majority": always}
    empty_run.records[0] = record.model_copy(update={"baselines": baselines})
    (line,) = shortfalls(empty_run.records)
    assert "0.600 does not beat guessing the majority class, 0.750" in line


def test_a_fold_counts_once_however_many_seeds_it_has(empty_run: Any, trial: Any) -> None:
    """0.5 and 0.2 do not beat 0.4, though three seeds of the first would."""
    for seed in (1, 2, 3):
        scored(empty_run, trial(fold=1, seed=seed), 0.5)
    scored(empty_run, trial(fold=2), 0.2)
    (line,) = shortfalls(empty_run.records)
    assert "accuracy 0.350 does not beat guessing the majority class, 0.400" in line


def test_the_group_counts_not_its_luckiest_trial(empty_run: Any, trial: Any) -> None:
    scored(empty_run, trial(seed=1), 0.5)
    scored(empty_run, trial(seed=2), 0.1)
    assert len(shortfalls(empty_run.records)) == 1


def test_a_backbone_whose_trials_all_failed_falls_short(empty_run: Any, trial: Any) -> None:
    empty_run.add(trial(), status="failed", error="ValueError: no")
    assert shortfalls(empty_run.records) == ["wavlm-base on ravdess: no trial ended well"]
