"""A plan holds the whole suite; what was selected of it is recorded apart."""

import dataclasses
import json
from pathlib import Path

import pytest

from harness.config.suite_loading import load_suite
from harness.errors import SuiteError
from harness.results.store import ResultsStore
from harness.runs.planning import make_plan
from harness.specs import Selection


def test_a_plan_holds_the_whole_suite_whatever_is_selected() -> None:
    suite = load_suite("smoke")
    whole, part = make_plan(suite), make_plan(suite, only=["tiny-wavlm"])
    assert part.trials == whole.trials == whole.selected
    assert {trial.backbone.name for trial in part.selected} == {"tiny-wavlm"}
    assert (len(part.selected), len(part.costs), len(whole.costs)) == (3, 3, 6)
    assert part.selection == Selection(only=("tiny-wavlm",))


def test_a_plan_cannot_be_changed() -> None:
    plan = make_plan(load_suite("smoke"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.trials = ()  # type: ignore[misc]


def test_a_pattern_that_matches_nothing_is_told_when_the_plan_is_made() -> None:
    for name in ("smoke", "cost"):
        with pytest.raises(SuiteError, match="no trial matches 'hubert"):
            make_plan(load_suite(name), only=["hubert*"])


def test_part_of_a_corpus_makes_other_trials_and_is_noted() -> None:
    suite = load_suite("smoke")
    limited, whole = make_plan(suite, limit_utterances=64), make_plan(suite)
    assert limited.selection.limit_utterances == 64
    assert not {t.trial_id for t in limited.trials} & {t.trial_id for t in whole.trials}


def test_the_plan_on_disk_is_that_of_the_whole_suite(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path / "smoke")
    plan = make_plan(load_suite("smoke"), only=["tiny-wavlm/0/*"])
    store.write_plan(plan.trials, plan.selection)
    assert tuple(store.read_plan()) == plan.trials
    kept = json.loads((store.folder / "plan.json").read_text())
    assert kept["selection"] == plan.selection.model_dump(mode="json")
    assert kept["selection"]["only"] == ["tiny-wavlm/0/*"]
    assert store.read_primary() is None


def test_the_metric_that_ranks_rows_is_kept_and_decides_no_trial(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path / "smoke")
    plan = make_plan(load_suite("smoke", ["primary=macro_f1"]))
    assert plan.trials == make_plan(load_suite("smoke")).trials
    store.write_plan(plan.trials, plan.selection, plan.suite.primary)
    assert store.read_primary() == "macro_f1"


def test_a_plan_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path / "smoke")
    trials = make_plan(load_suite("smoke")).trials
    store.folder.mkdir()
    listed = [trial.model_dump(mode="json") for trial in trials]
    (store.folder / "plan.json").write_text(json.dumps(listed))
    assert tuple(store.read_plan()) == trials
