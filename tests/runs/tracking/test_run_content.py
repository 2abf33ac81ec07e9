"""What trackers are told."""

import math

from made_up import MadeUpRun, make_cost, make_trial

from harness.results.records import Record
from harness.runs.tracking import run_content


def made(**changes: object) -> Record:
    run = MadeUpRun()
    run.add(make_trial())
    return run.records[0].model_copy(update=changes)


def test_a_run_is_the_same_until_its_trial_runs_again() -> None:
    first = made()
    assert run_content.run_id(first) == run_content.run_id(made(wall_s=99.0))
    assert run_content.run_id(first) != run_content.run_id(
        made(started_at="2026-01-02T00:00:00+00:00")
    )
    assert run_content.run_id(first).startswith(first.trial_id)


def test_a_runs_name_can_be_a_folder_and_tells_trials_apart() -> None:
    names = [
        run_content.run_name(made(trial=trial, trial_id=trial.trial_id))
        for trial in (make_trial(seed=1), make_trial(seed=2), make_trial(fold=2))
    ]
    assert len(set(names)) == 3
    assert not any(set(name) & set("/ :\\") for name in names)


def test_settings_are_the_trials_and_what_it_ran_on() -> None:
    told = run_content.settings(made(environment={"revision": "abc", "device_name": "H200"}))
    assert told["backbone.name"] == "wavlm-base"
    assert told["training.learning_rate.head"] == make_trial().training.learning_rate.head
    assert (told["revision"], told["device_name"], told["status"]) == ("abc", "H200", "ok")


def test_what_was_not_measured_is_left_out() -> None:
    record = made(backbone_depth=None)
    told = run_content.outcome(record)
    assert told["test/uar"] == record.metrics["test"].uar
    assert "backbone_depth" not in told
    worse = record.metrics["test"].model_copy(update={"uar": math.nan})
    assert "test/uar" not in run_content.outcome(made(metrics={"test": worse}))


def test_costs_are_told_by_mode_duration_and_batch_size() -> None:
    told = run_content.expense(make_cost())
    assert told["cost/infer_3s_b8/audio_s_per_s"] == 60.0
    assert told["cost/peak_rss_bytes"] == 2**30
    assert "cost/peak_gpu_bytes" not in told


def test_a_trial_that_failed_has_settings_and_no_scores() -> None:
    failed = made(status="failed", metrics={}, fit=None, error="ValueError: no")
    assert run_content.settings(failed)["status"] == "failed"
    assert list(run_content.curve(failed)) == []
    assert not any("/" in name for name in run_content.outcome(failed))
