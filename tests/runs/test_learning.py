"""Trials that choose on dev and heads that are probes, run for real."""

from pathlib import Path

import pandas as pd
import pytest
from quiet import Quiet

from harness.config.suite_loading import load_suite
from harness.reporting.report_building import build_report
from harness.results.records import Record
from harness.results.store import ResultsStore
from harness.runs.planning import make_plan
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.suite_run import run_plan

RATES = "training.learning_rate.head={choose: [1e-4, 3e-3]}"
ONE = ("cost=null", "training.epochs=3", "backbones=[logmel]", "matrix.finetune_layers=[0]")


def run(folder: Path, *changes: str, options: RuntimeOptions | None = None) -> ResultsStore:
    store = ResultsStore(folder)
    plan = make_plan(load_suite("smoke", [*ONE, *changes]))
    run_plan(plan, store, Quiet(), options or RuntimeOptions("cpu", offline=True))
    return store


def only(store: ResultsStore) -> Record:
    (record,) = store.read_trials()
    assert record.status == "ok", record.error
    return record


@pytest.mark.parametrize("pooling", ["statistics", "attentive_statistics"])
def test_the_candidate_that_dev_prefers_is_what_it_would_be_alone(
    tmp_path: Path, pooling: str
) -> None:
    head = f"head.pooling={pooling}"
    together = only(run(tmp_path / "together", head, RATES))
    assert [each.settings for each in together.candidates] == [
        {"training.learning_rate.head": 1e-4},
        {"training.learning_rate.head": 3e-3},
    ]
    scores = [each.dev_score or 0.0 for each in together.candidates]
    assert together.chosen == scores.index(max(scores))
    rate = together.candidates[together.chosen].settings["training.learning_rate.head"]
    alone = only(run(tmp_path / "alone", head, f"training.learning_rate.head={rate}"))
    assert alone.candidates == []
    assert alone.chosen is None
    assert together.metrics["test"].value("uar") == alone.metrics["test"].value("uar")
    assert together.metrics["dev"].loss == pytest.approx(alone.metrics["dev"].loss, rel=1e-4)
    assert together.fit
    assert alone.fit
    assert together.fit.best_epoch == alone.fit.best_epoch


def test_layers_are_put_back_between_candidates(tmp_path: Path) -> None:
    changes = ("backbones=[{name: tiny-wavlm, init: random}]", "matrix.finetune_layers=[2]")
    together = only(run(tmp_path / "together", *changes, RATES))
    assert together.chosen is not None
    rate = together.candidates[together.chosen].settings["training.learning_rate.head"]
    alone = only(run(tmp_path / "alone", *changes, f"training.learning_rate.head={rate}"))
    assert together.metrics["test"].loss == pytest.approx(alone.metrics["test"].loss, rel=1e-5)


def test_the_report_says_what_was_chosen_from_how_many(tmp_path: Path) -> None:
    store = run(tmp_path, RATES)
    record = only(store)
    report = build_report("choice", [record], [], store.read_predictions)
    (row,) = report.rows
    assert record.chosen is not None
    rate = record.candidates[record.chosen].settings["training.learning_rate.head"]
    assert row.chosen == f"learning_rate.head {rate:g} (1) of 2"
    assert row.dev_score == record.metrics["dev"].value("uar")


@pytest.mark.parametrize("kind", ["logistic_regression", "knn"])
def test_a_probe_is_a_head_like_any_other(tmp_path: Path, kind: str) -> None:
    store = run(tmp_path, f"matrix.head.kind=[{kind}]")
    record = only(store)
    assert record.fit is not None
    assert (record.fit.stopped, record.fit.steps, record.fit.curve) == ("converged", 0, [])
    assert str(record.fit.setting).startswith({"knn": "k = "}.get(kind, "C = "))
    uar = record.metrics["test"].value("uar")
    assert uar is not None
    assert uar > 0.4
    predictions = store.read_predictions(record)
    assert set(predictions["split"]) == {"dev", "test"}
    assert {"head", "training"}.isdisjoint(record.fingerprint.parts if record.fingerprint else {})


def test_every_table_has_the_better_probe_on_dev_under_it(tmp_path: Path) -> None:
    store = run(tmp_path, "matrix.head.kind=[mlp, logistic_regression, knn]")
    by_kind = {record.trial.head.kind: record for record in store.read_trials()}
    probe = by_kind["mlp"].probe
    assert probe is not None
    dev = {kind: by_kind[kind].metrics["dev"].value("macro_f1") or 0.0 for kind in ("knn",)}
    linear = by_kind["logistic_regression"].metrics["dev"].value("macro_f1") or 0.0
    assert probe.metrics["dev"].value("macro_f1") == max(dev["knn"], linear)
    report = build_report("probes", list(by_kind.values()), [], store.read_predictions)
    row = report.baselines[0]
    assert row.baseline == "probe on logmel"
    assert row.scores["uar"].mean == probe.metrics["test"].value("uar")


def test_a_head_that_has_learned_nothing_is_marked(tmp_path: Path) -> None:
    store = run(tmp_path, "training.learning_rate.head=1e-9")
    report = build_report("dead", [only(store)], [], store.read_predictions)
    assert "UNDER PROBE" in report.rows[0].flags


def test_probes_are_the_same_whether_frames_are_kept_or_not(tmp_path: Path) -> None:
    kept = only(run(tmp_path / "kept"))
    off = only(run(tmp_path / "off", options=RuntimeOptions("cpu", offline=True, frames="off")))
    assert kept.probe
    assert off.probe
    assert kept.probe.setting == off.probe.setting
    for name in ("dev", "test"):
        one, other = (pd.Series(each.probe.metrics[name].model_dump()) for each in (kept, off))
        assert one["uar"] == other["uar"]


def test_a_candidate_whose_loss_runs_away_leaves_the_others(tmp_path: Path) -> None:
    record = only(run(tmp_path, "training.learning_rate.head={choose: [1e+30, 3e-3]}"))
    assert record.chosen == 1
    assert record.candidates[0].dev_score is None


def test_a_trial_fails_if_no_candidate_learns(tmp_path: Path) -> None:
    store = run(tmp_path, "training.learning_rate.head={choose: [1e+30, 1e+31]}")
    (record,) = store.read_trials()
    assert record.status == "failed"
    assert "the loss became" in str(record.error)


def test_candidates_share_batches_of_recordings_as_they_share_kept_frames(tmp_path: Path) -> None:
    off = RuntimeOptions("cpu", offline=True, frames="off")
    computed = only(run(tmp_path / "computed", RATES, options=off))
    kept = only(run(tmp_path / "kept", RATES))
    assert computed.fit
    assert kept.fit
    assert (computed.fit.frames_from, kept.fit.frames_from) == ("computed", "stored")
    assert computed.chosen == kept.chosen
    assert computed.metrics["test"].value("uar") == kept.metrics["test"].value("uar")


def test_candidates_of_different_heads_are_compared_as_well(tmp_path: Path) -> None:
    choice = "head.kind={choose: [mlp, logistic_regression, knn]}"
    record = only(run(tmp_path, choice, "head.head_dim=8"))
    assert len(record.candidates) == 3
    scores = [each.dev_score or 0.0 for each in record.candidates]
    assert record.chosen == scores.index(max(scores))
