"""Shards of a suite are run apart, and their results are one run's."""

from pathlib import Path

import pandas as pd
import pytest
from quiet import Quiet

import harness
from harness.errors import ResultsError, SuiteError
from harness.results.current_inputs import CurrentInputs
from harness.results.store import ResultsStore
from harness.runs.runtime_options import RuntimeOptions

CHANGES = (
    "backbones=[tiny-emotion2vec]",
    "matrix={finetune_layers: [0, 1], seed: [1, 2]}",
    "training.epochs=2",
    "must_beat_majority=false",
    "keep_models=all",
)
HERE = RuntimeOptions("cpu", offline=True, engine="inline", threads=1)


def run(results: Path, shard: str | None = None, *changes: str) -> ResultsStore:
    ran = harness.run(
        "smoke",
        changes=[*CHANGES, *changes],
        shard=shard,
        results=results,
        options=HERE,
        reporter=Quiet(),
    )
    assert ran.summary.failed == 0
    return ResultsStore(ran.folder)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    results = tmp_path_factory.mktemp("shards")
    folders = [run(results, f"{number}/2").folder for number in (1, 2)]
    assert folders == [results / f"shard-{number}-of-2" / "smoke" for number in (1, 2)]
    return folders


def test_merged_shards_are_what_one_run_of_the_suite_gives(
    shards: list[Path], tmp_path: Path
) -> None:
    merged = harness.merge(shards, tmp_path / "merged")
    whole, joined = run(tmp_path / "whole"), ResultsStore(merged.folder)
    print(f"\nmerged: {merged.merged.line()}")
    assert merged.merged.line() == "4 trials and 2 costs copied"
    for one, other in zip(whole.read_trials(), joined.read_trials(), strict=True):
        assert (one.trial_id, one.metrics) == (other.trial_id, other.metrics)
        frames = (whole.read_predictions(one), joined.read_predictions(other))
        pd.testing.assert_frame_equal(*frames, check_exact=True)
    assert {each.cost_id for each in whole.read_costs()} == {c.cost_id for c in joined.read_costs()}
    assert names(whole) == names(joined)
    assert run(tmp_path / "merged").read_trials() == joined.read_trials()  # nothing is done again


def names(store: ResultsStore) -> set[str]:
    found = {str(path.relative_to(store.folder)) for path in store.folder.rglob("*")}
    return {name for name in found if "benchmarks" not in name and name != "estimate.txt"}


def test_merging_again_changes_nothing(shards: list[Path], tmp_path: Path) -> None:
    first = harness.merge(shards[:1], tmp_path)
    assert first.merged.line() == "2 trials and 1 costs copied, 2 trials missing"
    second = harness.merge(shards, tmp_path)
    assert (second.merged.trials, second.merged.passed_over, second.merged.missing) == (2, 3, 0)
    third = harness.merge(shards, tmp_path)
    assert (third.merged.trials, third.merged.costs, third.merged.passed_over) == (0, 0, 6)


def test_what_ended_well_and_is_newer_counts_and_what_makes_way_is_set_aside(
    shards: list[Path], tmp_path: Path
) -> None:
    first = ResultsStore(shards[0])
    (good, *_) = first.read_trials()
    harness.merge(shards, tmp_path)
    target = ResultsStore(tmp_path / "smoke")
    failed = good.model_copy(update={"status": "failed", "started_at": "2999-01-01T00:00:00+00:00"})
    target.write_trial(failed, None)
    assert harness.merge(shards, tmp_path).merged.trials == 1
    assert target.find_trial(good.trial_id) == first.find_trial(good.trial_id)
    assert len(list((target.folder / "superseded").iterdir())) == 1


def test_a_merge_that_was_killed_is_done_anew(shards: list[Path], tmp_path: Path) -> None:
    half = tmp_path / "smoke" / ".merging"
    half.mkdir(parents=True)
    (half / "record.json").write_text("{")
    assert harness.merge(shards, tmp_path).merged.missing == 0
    assert not half.exists()


def test_only_results_of_one_suite_on_the_same_data_are_merged(
    shards: list[Path], tmp_path: Path
) -> None:
    other = run(tmp_path / "other", "1/2", "matrix.seed=[7]", "cost=null").folder
    with pytest.raises(ResultsError, match="6 trials are planned in one of them alone"):
        harness.merge([shards[0], other], tmp_path)
    same = harness.merge(shards[:1], tmp_path).folder
    inputs = ResultsStore(same).read_inputs()
    changed = CurrentInputs(data=dict.fromkeys(inputs.data, "0"), weights=inputs.weights)
    ResultsStore(same).write_inputs(changed)
    with pytest.raises(ResultsError, match="rest on different recordings, targets or speakers"):
        harness.merge([shards[0]], tmp_path)
    with pytest.raises(ResultsError, match="cannot be merged with itself"):
        harness.merge([same], tmp_path)
    with pytest.raises(ResultsError, match="one suite's results can be merged, found"):
        harness.merge([shards[0], other.rename(other.with_name("other"))], tmp_path)


@pytest.mark.parametrize(
    ("shard", "told"),
    [("0/2", "k from 1 to n"), ("3/2", "k from 1 to n"), ("two", "needs k/n"), ("1/7", "6 shards")],
)
def test_a_shard_that_cannot_be_is_told(shard: str, told: str) -> None:
    with pytest.raises(SuiteError, match=told):
        harness.plan("smoke", shard=shard)
