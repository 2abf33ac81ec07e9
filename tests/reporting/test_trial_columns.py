"""trials.csv: one row a trial, nothing invented."""

import io
from typing import Any

import pandas as pd

from harness.reporting.data_frames import trials_frame

PROMISED = (
    "trial_id, status, corpus, fold, backbone, finetune_layers, loss, seed, accuracy, uar, "
    "macro_f1, weighted_f1, train_audio_s_per_s, infer_audio_s_per_s, peak_gpu_bytes, "
    "peak_rss_bytes, trainable_parameters, total_parameters, wall_s"
)


def test_the_promised_columns_come_first(run: Any, empty_run: Any) -> None:
    promised = PROMISED.split(", ")
    assert list(trials_frame(run.report()).columns[: len(promised)]) == promised
    assert list(trials_frame(empty_run.report()).columns) == promised


def test_every_trial_has_one_row_with_its_test_scores(run: Any) -> None:
    frame = trials_frame(run.report())
    assert list(frame["trial_id"]) == [record.trial_id for record in run.records]
    for metric in ("accuracy", "uar", "macro_f1", "weighted_f1"):
        wanted = [getattr(record.metrics["test"], metric) for record in run.records]
        assert list(frame[metric]) == wanted


def test_the_score_on_dev_stands_beside_those_on_test(run: Any) -> None:
    frame = trials_frame(run.report())
    assert list(frame["dev_score"]) == [record.metrics["dev"].uar for record in run.records]


def test_costs_stand_with_their_backbone_and_depth_alone(run: Any) -> None:
    frame = trials_frame(run.report())
    measured = (frame["backbone"] == "wavlm-base") & (frame["finetune_layers"] == 0)
    # the largest batch at the first duration
    assert set(frame.loc[measured, "infer_audio_s_per_s"]) == {60.0}
    assert set(frame.loc[measured, "train_audio_s_per_s"]) == {31.25}
    assert set(frame.loc[measured, "peak_rss_bytes"]) == {2**30}
    assert frame.loc[~measured, "infer_audio_s_per_s"].isna().all()


def test_what_was_not_measured_is_empty_and_whole_numbers_stay_whole(run: Any) -> None:
    text = trials_frame(run.report()).to_csv(index=False)
    row = pd.read_csv(io.StringIO(text), dtype=str).iloc[0]
    assert pd.isna(row["peak_gpu_bytes"])
    assert pd.isna(row["infer_audio_s_per_s"])
    assert row["trainable_parameters"] == "1500000"
    assert row["finetune_layers"] == "3"


def test_a_failed_trial_has_no_scores_and_says_what_went_wrong(empty_run: Any, trial: Any) -> None:
    empty_run.add(trial(), status="oom", error="Traceback:\n  ...\nRuntimeError: out of memory\n")
    (row,) = trials_frame(empty_run.report()).to_dict("records")
    assert row["status"] == "oom"
    assert pd.isna(row["accuracy"])
    assert pd.isna(row["trainable_parameters"])
    assert row["error"] == "RuntimeError: out of memory"


def test_the_newest_cost_that_ended_well_counts(empty_run: Any, trial: Any, cost: Any) -> None:
    empty_run.add(trial())
    empty_run.costs += [
        cost(device="old", started_at="2025-01-01T00:00:00+00:00"),
        cost(device="new"),
        cost(device="failed", status="failed", started_at="2027-01-01T00:00:00+00:00"),
        cost(device="other", layers=1, started_at="2027-01-01T00:00:00+00:00"),
    ]
    assert list(trials_frame(empty_run.report())["cost_device"]) == ["new"]


def test_a_cost_without_workloads_is_no_speed(empty_run: Any, trial: Any, cost: Any) -> None:
    empty_run.add(trial())
    empty_run.costs.append(cost(points=[]))
    (row,) = trials_frame(empty_run.report()).to_dict("records")
    assert pd.isna(row["infer_audio_s_per_s"])
    assert row["peak_rss_bytes"] == 2**30
