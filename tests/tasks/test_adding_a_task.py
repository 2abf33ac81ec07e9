"""A second task is one module and its table entries: it plans, runs, is recorded and reported."""

from math import log2
from pathlib import Path

import pandas as pd
import pitch_task
import pytest
from quiet import Quiet

import harness
from harness.config.suite_loading import load_suite
from harness.data.readers import synthetic
from harness.errors import SuiteError
from harness.model.components import LOSSES
from harness.results.store import ResultsStore
from harness.runs.evaluation import evaluate_kept
from harness.runs.runtime_options import RuntimeOptions
from harness.specs import CorpusSpec
from harness.tasks import TASKS

SUITE = """\
suite: pitch
task: pitch
corpora: [{{name: voices, kind: manifest, root: {folder}}}]
protocol: {{folds: 4, dev_speakers: 1, only_folds: [1]}}
backbones: [{{name: tiny-wavlm, init: random}}]
matrix: {{finetune_layers: [0, 1]}}
head: {{head_dim: 64, dropout: 0.1}}
training:
  precision: float32
  epochs: 12
  batch_seconds: 24
  learning_rate: {{head: 3.0e-3, backbone: 1.0e-3}}
  early_stopping: {{metric: ccc, window: 3, loss_factor: null}}
cost: null
keep_models: all
"""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Synthetic speakers with the pitch of each utterance, in octaves from 150 Hz, as target."""
    monkeypatch.setitem(TASKS, "pitch", pitch_task.CARD)  # type: ignore[arg-type]
    monkeypatch.setitem(LOSSES, "mse", pitch_task.LOSS)
    folder = tmp_path / "voices"
    rows = []
    for utterance in synthetic.read(folder, CorpusSpec(name="synthetic")).utterances:
        rest_hz = synthetic.SPEAKERS[str(utterance.speaker)].pitch_hz
        pitch_hz = rest_hz * synthetic.EMOTIONS[str(utterance.target)].pitch
        rows.append((utterance.path.name, utterance.speaker, log2(pitch_hz / 150)))
    frame = pd.DataFrame(rows, columns=["file", "speaker", "target"])
    frame.to_csv(folder / "manifest.csv", index=False)
    path = tmp_path / "pitch.yaml"
    path.write_text(SUITE.format(folder=folder))
    return path


@pytest.mark.slow
def test_a_task_of_one_module_learns_and_is_reported(suite: Path, tmp_path: Path) -> None:
    plan = harness.plan(suite)
    assert {trial.loss for trial in plan.trials} == {"mse"}
    options = RuntimeOptions("cpu", offline=True, engine="inline")
    result = harness.run(plan, results=tmp_path, options=options, reporter=Quiet())

    store = ResultsStore(tmp_path / "pitch")
    for record in store.read_trials():
        assert record.status == "ok", record.error
        assert record.baselines is not None
        learned, mean = record.metrics["test"].value("ccc"), record.baselines["mean"].value("ccc")
        assert learned is not None
        assert mean is not None
        assert learned > mean + 0.2
        selected = record.fit.curve[record.fit.best_epoch - 1].dev_metric if record.fit else None
        assert record.metrics["dev"].value("ccc") == pytest.approx(selected, abs=1e-5)
        columns = list(store.read_predictions(record).columns)
        assert columns == ["utterance_id", "split", "speaker", "target", "predicted"]

    trials = pd.read_csv(tmp_path / "pitch" / "trials.csv").set_index("trial_id")
    evaluate_kept(store, None, None, Quiet(), device="cpu")
    for record in store.read_trials():
        for metric in ("ccc", "mae"):
            wanted = record.metrics["test"].value(metric)
            assert trials.loc[record.trial_id, metric] == pytest.approx(wanted)
            again = store.evaluation(None).find_trial(record.trial_id)
            assert again is not None
            assert again.metrics["test"].value(metric) == pytest.approx(wanted, abs=1e-5)

    assert [row.baseline for row in result.report.baselines] == ["mean"]
    for row in result.report.rows:
        assert row.scores["ccc"].interval is not None
        assert row.scores["ccc"].interval.low <= row.scores["ccc"].mean
    table = (tmp_path / "pitch" / "report" / "comparison.md").read_text()
    assert "CCC 95 %" in table
    assert "MAE is in octaves" in table
    assert "UAR" not in table


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("matrix.loss=[dr]", r"loss 'dr' does not fit task pitch: .*allowed: mse"),
        ("training.early_stopping.metric=uar", r"no metric 'uar' selects an epoch of task pitch"),
        ("training.early_stopping.metric=mae", r"no metric 'mae' selects an epoch of task pitch"),
        ("must_beat_majority=true", "task pitch has no majority to be beaten"),
        ("task=classification", "no metric 'ccc' selects an epoch of task classification"),
    ],
)
def test_what_does_not_fit_the_task_is_refused(suite: Path, change: str, message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        load_suite(suite, [change])


def test_a_loss_of_another_task_is_refused_with_those_that_fit(suite: Path) -> None:
    with pytest.raises(SuiteError, match=r"loss 'mse' does not fit task classification: .*dr"):
        load_suite("smoke", ["matrix.loss=[mse]"])
