"""A real run, offline, read back from the files of each tracker."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.results.records import Record
from harness.results.store import REPORT, ResultsStore
from harness.runs.tracking.run_content import run_id, run_name
from harness.runs.tracking.tracker_processes import FOLDER

# `pytest -m gpu` must be collectable where these are not installed
mlflow = pytest.importorskip("mlflow")
pytest.importorskip("wandb")
wandb_file = pytest.importorskip("wandb_file")
accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")

ROOT = Path(__file__).parents[3]
TOKEN = "5ec4e7c0ffee" * 4
SEEDS = (1, 2)
COST = "{durations_s: [0.5], batch_sizes: [1], rounds: 1, infer_steps: 2, train_steps: 2}"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ResultsStore:
    """Two trials and one cost, told to all three trackers."""
    folder = tmp_path_factory.mktemp("tracked")
    command = [
        sys.executable, "-m", "harness", "run", "smoke", "--results", str(folder),
        "--device", "cpu", "--offline", "--set", "tracking=[wandb, tensorboard, mlflow]",
        "--set", "backbones=[logmel]", "--set", "matrix.finetune_layers=[0]",
        "--set", f"matrix.seed={list(SEEDS)}", "--set", "training.epochs=2",
        "--set", "must_beat_majority=false", "--set", f"cost={COST}",
    ]  # fmt: skip
    env = os.environ | {"WANDB_API_KEY": TOKEN, "MLFLOW_TRACKING_PASSWORD": TOKEN}
    run = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    printed = run.stdout + run.stderr
    for unwanted in ("tracking:", "mlflow", TOKEN):  # MLflow tells of its tables, where it may
        assert unwanted not in printed
    return ResultsStore(folder / "smoke")


@pytest.fixture(scope="module")
def records(store: ResultsStore) -> list[Record]:
    return sorted(store.read_trials(), key=lambda record: record.trial.seed)


def speed(store: ResultsStore) -> float:
    (cost,) = store.read_costs()
    return next(point.audio_s_per_s for point in cost.points if point.mode == "infer")


def test_no_token_is_in_any_file(store: ResultsStore) -> None:
    files = [path for path in store.folder.rglob("*") if path.is_file()]
    assert any("wandb" in path.parts for path in files)
    assert not [path for path in files if TOKEN.encode() in path.read_bytes()]


def wandb_runs(store: ResultsStore) -> dict[str, list[Any]]:
    """What was told of each run when it was opened last, by its id: a sync keeps only that."""
    found: dict[str, list[Any]] = {}
    for path in sorted((store.folder / FOLDER).rglob("*.wandb")):
        told = list(wandb_file.read_run(path))
        (run,) = {record.run.run_id for record in told if record.HasField("run")}
        found[run] = told  # the names of folders begin with the time
    return found


def history(told: list[Any]) -> list[dict[str, Any]]:
    return [
        {
            (item.key or "/".join(item.nested_key)): json.loads(item.value_json)
            for item in row.history.item
        }
        for row in told
        if row.HasField("history")
    ]


def test_wandb_has_a_run_for_each_trial_in_the_suites_group(
    store: ResultsStore, records: list[Record]
) -> None:
    runs = wandb_runs(store)
    assert set(runs) == {*map(run_id, records), "smoke-report"}
    for record in records:
        told = runs[run_id(record)]
        heads = [entry.run for entry in told if entry.HasField("run")]
        assert {(head.run_group, head.display_name) for head in heads} == {
            ("smoke", run_name(record))
        }
        rows = history(told)
        assert record.fit
        assert [row["curve/train_loss"] for row in rows if "curve/train_loss" in row] == [
            pytest.approx(point.train_loss) for point in record.fit.curve
        ]
        last: dict[str, Any] = {}
        for row in rows:
            last |= row
        assert last["test/uar"] == pytest.approx(record.metrics["test"].uar)
        assert last["cost/infer_0.5s_b1/audio_s_per_s"] == pytest.approx(speed(store))
        settings = {
            item.key: json.loads(item.value_json)
            for entry in told
            for update in ([entry.config] if entry.HasField("config") else [])
            for item in update.update
        }
        assert settings["seed"] == record.trial.seed
        assert settings["backbone.name"] == "logmel"


def test_wandb_has_the_report_as_an_artifact(store: ResultsStore) -> None:
    told = wandb_runs(store)["smoke-report"]
    (artifact,) = [
        entry.request.log_artifact.artifact if entry.HasField("request") else entry.artifact
        for entry in told
        if entry.HasField("artifact") or entry.request.HasField("log_artifact")
    ]
    assert artifact.type == "report"
    names = {content.path for content in artifact.manifest.contents}
    assert {"comparison.md", "comparison.csv", "quality.png"} <= names


def events(folder: Path) -> Any:
    found = accumulators.EventAccumulator(str(folder), size_guidance={"tensors": 0, "images": 0})
    found.Reload()
    return found


def test_tensorboard_has_the_curve_scores_and_costs_of_each_trial(
    store: ResultsStore, records: list[Record]
) -> None:
    for record in records:
        found = events(store.folder / FOLDER / "tensorboard" / run_name(record))
        assert record.fit
        curve = [(point.step, point.value) for point in found.Scalars("curve/dev_loss")]
        assert curve == [(p.epoch, pytest.approx(p.dev_loss)) for p in record.fit.curve]
        (uar,) = found.Scalars("test/uar")
        assert uar.value == pytest.approx(record.metrics["test"].uar)
        (cost,) = found.Scalars("cost/infer_0.5s_b1/audio_s_per_s")
        assert cost.value == pytest.approx(speed(store))
    settings = list((store.folder / FOLDER / "tensorboard").rglob("hparams.yml"))
    assert len(settings) == len(records)


def test_tensorboard_has_the_report_and_its_figure(store: ResultsStore) -> None:
    found = events(store.folder / FOLDER / "tensorboard" / "report")
    (text,) = found.Tensors("comparison/text_summary")
    table = (store.folder / REPORT / "comparison.md").read_text(encoding="utf-8")
    assert text.tensor_proto.string_val[0].decode() == table
    assert found.Images("quality")


@pytest.fixture
def mlflow_runs(store: ResultsStore) -> dict[str, Any]:
    client = mlflow.MlflowClient(f"sqlite:///{store.folder / FOLDER / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("smoke")
    runs = client.search_runs([experiment.experiment_id])
    assert len({run.data.tags["harness_run"] for run in runs}) == len(runs)
    for run in runs:
        run.curve = [  # what a run holds is the last value of each
            (point.step, point.value)
            for point in client.get_metric_history(run.info.run_id, "curve/train_loss")
        ]
        run.files = {file.path for file in client.list_artifacts(run.info.run_id, "report")}
    return {run.data.tags["harness_run"]: run for run in runs}


def test_mlflow_has_a_run_for_each_trial_in_the_suites_experiment(
    store: ResultsStore, records: list[Record], mlflow_runs: dict[str, Any]
) -> None:
    assert set(mlflow_runs) == {*map(run_id, records), "smoke-report"}
    for record in records:
        run = mlflow_runs[run_id(record)]
        assert run.info.run_name == run_name(record)
        assert run.info.status == "FINISHED"
        assert run.data.params["seed"] == str(record.trial.seed)
        assert record.fit
        assert run.curve == [(p.epoch, pytest.approx(p.train_loss)) for p in record.fit.curve]
        assert run.data.metrics["test/uar"] == pytest.approx(record.metrics["test"].uar)
        told = run.data.metrics["cost/infer_0.5s_b1/audio_s_per_s"]
        assert told == pytest.approx(speed(store))


def test_mlflow_has_the_report_as_artifacts(mlflow_runs: dict[str, Any]) -> None:
    assert {"report/comparison.md", "report/quality.png"} <= mlflow_runs["smoke-report"].files
