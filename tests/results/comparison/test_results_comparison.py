"""Two folders through the command line, as a CI job compares them."""

from typing import Any

import pytest
from made_up import CLASSES, MadeUpRun, make_cost, make_trial

from harness.results.current_inputs import CurrentInputs
from harness.results.records import Digests
from harness.specs import CorpusSpec, HeadSpec, ProtocolSpec
from harness.tasks.classification.metrics import score_predictions


@pytest.fixture
def head(run: MadeUpRun) -> MadeUpRun:
    """As BASE, with the UAR of one trial at nothing, and costs of another machine."""
    worse = run.records[0].metrics["test"].model_copy(update={"uar": 0.0})
    record = run.records[0].model_copy(update={"metrics": {"test": worse}})
    return MadeUpRun(records=[record, *run.records[1:]], costs=[make_cost(device="another")])


def test_two_folders_stand_side_by_side(
    cli: Any, run: MadeUpRun, head: MadeUpRun, folder: Any
) -> None:
    run.costs.append(make_cost(device="another"))
    base, other = folder("base", run), folder("head", head)
    answer = cli("compare", base.folder, other.folder)
    assert answer.code == 0, answer.err
    assert "4 trials in both, 0 of them changed; 0 only in BASE, 0 only in HEAD" in answer.out
    assert "ravdess · wavlm-base · 0 layers" in answer.out
    assert "infer_audio_s_per_s" in answer.out
    assert "too few samples to know" in answer.out


def test_a_breached_limit_fails_and_is_printed(
    cli: Any, run: MadeUpRun, head: MadeUpRun, folder: Any
) -> None:
    base, other = folder("base", run), folder("head", head)
    limits = ("--fail-on", "uar:-0.02", "accuracy:-0.02")
    answer = cli("compare", base.folder, other.folder, *limits)
    assert answer.code == 1
    assert "FAILED: ravdess · wavlm-base · 0 layers: uar went from" in answer.out
    assert "accuracy went" not in answer.out
    assert cli("compare", base.folder, base.folder, *limits).code == 0


def test_what_noise_hides_fails_in_its_own_words_unless_it_is_allowed(
    cli: Any, run: MadeUpRun, folder: Any
) -> None:
    """Half of the utterances of two speakers are now missed: worse, but for all one knows luck."""
    head = MadeUpRun(trials=run.trials)
    for record in run.records:
        frame = run.saved[record.trial_id].copy()
        missed = (frame["speaker"].str[-1] == "0") & (frame.index % 8 < 4)
        for name in CLASSES:
            wrong = (frame["label"] != name)[missed].astype(float)
            frame.loc[missed, f"p_{name}"] = wrong
        head.saved[record.trial_id] = frame
        test = score_predictions(frame[frame["split"] == "test"])
        head.records.append(record.model_copy(update={"metrics": {"test": test}}))
    folders = folder("base", run).folder, folder("head", head).folder
    answer = cli("compare", *folders, "--fail-on", "uar:-0.02")
    assert answer.code == 1
    assert "UNSURE: ravdess · wavlm-base · 0 layers: uar went from" in answer.out
    assert "cannot tell of 1 changes whether they go too far" in answer.err
    assert "FAILED" not in answer.out
    assert cli("compare", *folders, "--fail-on", "uar:-0.02", "--allow-unsure").code == 0


def test_scores_on_other_utterances_are_not_compared_and_fail_a_limit_on_them(
    cli: Any, run: MadeUpRun, folder: Any
) -> None:
    """Fold 1 of four is not fold 1 of two."""
    head = MadeUpRun()
    for fold in (1, 2):
        for seed in (1, 2):
            made = head.add(make_trial(fold=fold, seed=seed, protocol=ProtocolSpec(folds=4)))
            head.saved[made.trial_id]["utterance_id"] += " of four"
    folders = folder("base", run).folder, folder("head", head).folder
    answer = cli("compare", *folders, "--fail-on", "uar:-0.5")
    assert "Quality" not in answer.out
    assert answer.out.count("scores not compared, as BASE and HEAD were tested on other") == 4
    assert answer.code == 1
    assert answer.out.count("was tested on other utterances") == 4


def test_what_head_lost_fails_a_limit_on_what_it_had(cli: Any, run: MadeUpRun, folder: Any) -> None:
    run.costs.append(make_cost())
    lost = MadeUpRun(records=run.records[1:], saved=run.saved)
    base, other = folder("base", run), folder("lost", lost)
    answer = cli("compare", base.folder, other.folder, "--fail-on", "uar:-0.02")
    assert answer.code == 1
    assert (
        "fold 1 · wavlm-base · 0 layers · weighted_cross_entropy · seed 1 is only in" in answer.out
    )
    assert "FAILED: cost of" not in answer.out
    assert cli("compare", other.folder, base.folder, "--fail-on", "uar:-0.02").code == 0
    base.write_cost(make_cost(layers=3))
    other.write_cost(make_cost())
    gated = cli("compare", base.folder, other.folder, "--fail-on", "infer_audio_s_per_s:-10%")
    assert gated.code == 1
    assert gated.out.count("FAILED") == 1
    assert "FAILED: cost of wavlm-base" in gated.out


def test_trials_of_one_folder_that_differ_in_an_axis_read_differently(
    cli: Any, run: MadeUpRun, folder: Any
) -> None:
    base = MadeUpRun(records=[*run.records], saved={**run.saved})
    for dropout in (0.1, 0.2):
        base.add(make_trial(fold=3, head=HeadSpec(dropout=dropout)))
    folders = folder("base", base).folder, folder("head", run).folder
    answer = cli("compare", *folders, "--fail-on", "uar:-0.5")
    for dropout in (0.1, 0.2):
        name = f"weighted_cross_entropy · seed 1 · dropout {dropout}"
        assert answer.out.count(name) == 2  # in the list, and as what breaks the limit
        assert f"{name} is only in BASE" in answer.out


def test_costs_of_unlike_machines_are_compared_only_if_asked_for(
    cli: Any, run: MadeUpRun, head: MadeUpRun, folder: Any
) -> None:
    run.costs.append(make_cost())
    base, other = folder("base", run), folder("head", head)
    answer = cli("compare", base.folder, other.folder)
    refused = "1 costs are not compared, as unlike machines measured them (cpu, another)"
    assert refused in answer.out
    assert "infer_audio_s_per_s" not in answer.out
    gated = cli("compare", base.folder, other.folder, "--fail-on", "infer_audio_s_per_s:-10%")
    assert gated.code == 2
    asked = cli("compare", base.folder, other.folder, "--across-machines")
    assert "infer_audio_s_per_s" in asked.out


def test_folders_with_nothing_in_common_are_the_users_mistake_and_what_each_holds_is_said(
    cli: Any, run: MadeUpRun, folder: Any
) -> None:
    head = MadeUpRun(costs=[make_cost("hubert-base")])
    head.add(make_trial("hubert-base", corpus=CorpusSpec(name="emodb")))
    head.add(make_trial("wavlm-base"), status="oom", error="MemoryError: full")
    base, other = folder("base", run), folder("head", head)
    answer = cli("compare", base.folder, other.folder)
    assert answer.code == 2
    assert f"{base.folder} holds 4 finished trials (of wavlm-base on ravdess) and 0 costs;" in (
        answer.err
    )
    assert "holds 1 finished trials (of hubert-base on emodb) and 1 costs (of hubert-base)" in (
        answer.err
    )
    base.write_cost(make_cost("hubert-base"))
    assert cli("compare", base.folder, other.folder).code == 0  # a cost is enough


def test_a_folder_without_results_and_a_third_folder_are_the_users_mistake(
    cli: Any, run: MadeUpRun, folder: Any, tmp_path: Any
) -> None:
    base = folder("base", run)
    assert cli("compare", base.folder, tmp_path / "nothing").code == 2
    assert cli("compare", base.folder, base.folder, "third").code == 2


def test_what_rests_on_other_data_than_now_is_left_out_and_named(
    cli: Any, run: MadeUpRun, folder: Any
) -> None:
    def resting_on(data: str) -> dict[str, Any]:
        return {"digests": Digests(weights="w", audio="a", split="s", data=data)}

    records = [record.model_copy(update=resting_on("now")) for record in run.records]
    records[0] = records[0].model_copy(update=resting_on("before"))
    head = folder("head", MadeUpRun(records=records, saved=run.saved))
    head.write_inputs(CurrentInputs().updated([(r.trial, r.digests) for r in records[1:]]))
    answer = cli("compare", folder("base", run).folder, head.folder, "--fail-on", "uar:-0.02")
    assert f"than now: HEAD: {records[0].trial.describe()}" in answer.out
    assert "3 trials in both" in answer.out
    assert answer.code == 1
