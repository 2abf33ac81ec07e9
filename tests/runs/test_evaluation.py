"""Kept models scored again: on their own splits, and on another corpus."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from quiet import Quiet

import harness
from harness.config.suite_loading import load_suite
from harness.data.prepared_corpus import cut_fold, labelled, prepare_corpus
from harness.data.readers import synthetic
from harness.errors import ResultsError, TrialError, UserError
from harness.results.comparison.results_comparison import compare
from harness.results.folder_lock import holding
from harness.results.records import Record
from harness.results.store import ResultsStore
from harness.runs.evaluation import Evaluation, evaluate_kept
from harness.runs.kept_models import restore
from harness.runs.planning import make_plan
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.suite_run import run_plan
from harness.specs import CorpusSpec
from harness.training.devices import make_accelerator
from harness.training.fit_inputs import AudioInputs
from harness.training.prediction import predict


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> ResultsStore:
    store = ResultsStore(tmp_path_factory.mktemp("results"))
    # after one epoch outputs lie so close that the rounding of half precision decides many
    changes = ("training.epochs=8", "backbones=[tiny-wavlm]", "cost=null", "keep_models=all")
    suite = load_suite("smoke", [*changes, "matrix.finetune_layers=[0, 1]"])
    run_plan(make_plan(suite), store, Quiet(), RuntimeOptions("cpu"))
    return store


def another_corpus(folder: Path, labels: dict[str, str]) -> CorpusSpec:
    """Takes of two synthetic emotions under labels of another corpus."""
    lines = ["file,label,speaker"]
    for label, theirs in labels.items():
        for take in (11, 12):
            name = f"{label}-{take}.wav"
            soundfile.write(folder / name, synthetic.synthesise("s1", label, take), 16_000)
            lines.append(f"{name},{theirs},someone{' else' * (take == 12)}")
    (folder / "list.csv").write_text("\n".join(lines))
    return CorpusSpec(name="other", kind="manifest", root=str(folder), manifest="list.csv")


@pytest.fixture
def store(trained: ResultsStore, tmp_path: Path) -> ResultsStore:
    """The results with their kept models, for a test to write in."""
    return ResultsStore(Path(shutil.copytree(trained.folder, tmp_path / "results")))


def evaluate(
    store: ResultsStore, trial_id: str | None = None, corpus: CorpusSpec | None = None
) -> Evaluation:
    return evaluate_kept(store, trial_id, corpus, Quiet(), device="cpu", offline=True)


def outcomes(store: ResultsStore, *where: Any, **choice: Any) -> dict[str, Record]:
    return {each.trial_id: each for each in store.evaluation(*where, **choice).read_trials()}


def written(folder: Path) -> dict[str, bytes]:
    """All files of a folder that mean something, by their place in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_each_model_scores_on_its_own_splits_as_its_record_says(store: ResultsStore) -> None:
    evaluate(store)
    found = outcomes(store, None)
    for record in store.read_trials():
        again = found[record.trial_id]
        for split in ("dev", "test"):
            for metric in ("accuracy", "uar", "macro_f1", "weighted_f1", "accuracy_middle"):
                expected = getattr(record.metrics[split], metric)
                assert getattr(again.metrics[split], metric) == pytest.approx(expected)
        assert (again.digests, again.splits) == (record.digests, record.splits)
        before, after = (
            each.read_predictions(of)
            for each, of in ((store, record), (store.evaluation(None), again))
        )
        pd.testing.assert_frame_equal(before, after, check_exact=False, atol=1e-6)


def test_outcomes_lie_in_folders_of_results_that_report_and_compare_read(
    store: ResultsStore, tmp_path: Path
) -> None:
    done = harness.evaluate(store.folder, device="cpu", offline=True, reporter=Quiet())
    assert done.evaluation.not_scored == ()
    (found,) = done.reports
    folder = store.evaluation(None).folder
    assert harness.report(folder) == found
    of_run = harness.report(store.folder)
    for again, row in zip(found.rows, of_run.rows, strict=True):
        assert again.scores["uar"] == row.scores["uar"]
        assert again.scores["uar"].interval is not None
        assert (again.flags, again.classes) == (row.flags, row.classes)
    assert {path.name for path in (folder / "report").iterdir()} >= {
        "comparison.md", "comparison.csv", "per_class.md",
    }  # fmt: skip
    compared = compare(store, store.evaluation(None))
    assert len(compared.trials.both) == len(store.read_trials())
    assert {change.difference for change in compared.quality} == {0.0}


def test_scoring_again_gives_the_same_files(store: ResultsStore, tmp_path: Path) -> None:
    spec = another_corpus(tmp_path, {"angry": "angry", "sad": "sad"})
    for corpus in (None, spec):
        harness.evaluate(store.folder, corpus=corpus, device="cpu", reporter=Quiet())
    first = written(store.folder / "evaluations")
    for corpus in (None, spec):
        harness.evaluate(store.folder, corpus=corpus, device="cpu", reporter=Quiet())
    again = written(store.folder / "evaluations")
    assert list(again) == list(first)
    assert {name for name in first if first[name] != again[name]} == set()


def test_bfloat16_predicts_what_float32_does_wherever_that_is_no_tie(trained: ResultsStore) -> None:
    for record in trained.read_trials():
        model = restore(trained, record, offline=True)
        prepared = prepare_corpus(record.trial.corpus, None, Quiet())
        everything = labelled(prepared, tuple(prepared.corpus.by_id()))
        full, half = (
            predict(model, AudioInputs(everything, model, accelerator), 24, accelerator)
            for accelerator in (make_accelerator("cpu", "float32"), make_accelerator("cpu", "bf16"))
        )
        best, second = full.topk(2, dim=1).values.T
        sure = best - second > 0.02 * full.abs().mean()
        assert sure.float().mean() > 0.8
        assert torch.equal(full.argmax(1)[sure], half.argmax(1)[sure])
        assert (full - half).abs().mean() <= 0.02 * full.abs().mean()


def test_one_model_can_be_asked_for(store: ResultsStore) -> None:
    wanted = store.read_trials()[0].trial_id
    assert evaluate(store, wanted).scored == (wanted,)
    assert list(outcomes(store, None)) == [wanted]


def test_another_corpus_is_scored_whole_and_among_its_own_classes(
    store: ResultsStore, tmp_path: Path
) -> None:
    spec = another_corpus(tmp_path, {"angry": "angry", "sad": "sad"})
    done = harness.evaluate(store.folder, corpus=spec, device="cpu", reporter=Quiet())
    of_its_own, of_all = done.reports
    for record in store.read_trials():
        shared = outcomes(store, "other")[record.trial_id]
        assert (shared.classes, shared.scored_on.name) == (["angry", "sad"], "other")
        assert shared.metrics["test"].utterances == 4
        assert list(shared.metrics) == ["test"]
        frame = store.evaluation("other").read_predictions(shared)
        assert list(frame.columns) == [
            "utterance_id", "split", "speaker", "label", "p_angry", "p_sad",
        ]  # fmt: skip
        assert np.allclose(frame[["p_angry", "p_sad"]].sum(axis=1), 1)
        assert shared.splits["train"] == record.splits["train"]
        assert shared.split_sizes == {**record.split_sizes, "test": 4}
        assert shared.splits["test"].speakers == ("someone", "someone else")
        assert shared.digests is not None
        assert record.digests is not None
        assert shared.digests.weights == record.digests.weights
        assert shared.digests.audio != record.digests.audio
    for row in of_its_own.rows:
        assert row.scores["uar"].interval is not None
        assert sum(sum(found.predicted) for found in row.classes) == 4
    assert "4 utterances of other; they choose among 2 of 4 outputs" in of_its_own.footnotes[0]
    assert "they choose among all of their outputs" in of_all.footnotes[0]
    assert of_all.title.endswith("kept models on all of other")
    assert of_its_own.title.endswith("kept models on all of other, among its own classes")


def test_with_fewer_classes_both_choices_are_scored(store: ResultsStore, tmp_path: Path) -> None:
    evaluate(store, corpus=another_corpus(tmp_path, {"angry": "angry", "sad": "sad"}))
    few, many = outcomes(store, "other"), outcomes(store, "other", all_outputs=True)
    assert list(few) == list(many) == [record.trial_id for record in store.read_trials()]
    for trial_id in few:
        # what is right among all is right among some
        ours, theirs = (each[trial_id].metrics["test"].value("accuracy") for each in (few, many))
        assert ours is not None
        assert theirs is not None
        assert ours >= theirs
    rows = harness.report(store.evaluation("other", all_outputs=True).folder).rows
    assert all("TEST LACKS CLASS" in row.flags for row in rows)


def test_with_as_many_classes_there_is_one_choice(store: ResultsStore, tmp_path: Path) -> None:
    names = {name: name for name in synthetic.EMOTIONS}
    evaluate(store, corpus=another_corpus(tmp_path, names))
    assert len(outcomes(store, "other")) == len(store.read_trials())
    assert not store.evaluation("other", all_outputs=True).folder.exists()


def learned_recording(store: ResultsStore, record: Record) -> Path:
    """One of train whose envelope is known."""
    prepared = prepare_corpus(record.trial.corpus, None, Quiet())
    by_id, lengths = prepared.corpus.by_id(), {i.utterance_id: i for i in prepared.audio_info}
    train = cut_fold(record.trial, prepared).splits.train
    return by_id[next(each for each in train if lengths[each].envelope)].path


def test_what_was_learned_under_another_name_is_not_scored(
    store: ResultsStore, tmp_path: Path
) -> None:
    """A recording of train, written anew by another encoder, under another speaker."""
    spec = another_corpus(tmp_path, {"angry": "angry", "sad": "sad"})
    evaluate(store, corpus=spec)
    path = learned_recording(store, store.read_trials()[0])
    soundfile.write(tmp_path / "angry-11.ogg", soundfile.read(path)[0], 16_000)
    listed = (tmp_path / "list.csv").read_text().replace("angry-11.wav", "angry-11.ogg")
    (tmp_path / "list.csv").write_text(listed)
    done = evaluate(store, corpus=spec)
    assert (done.scored, done.stores) == ((), ())  # and the scores of before are set aside
    for skipped in done.not_scored:
        assert not skipped.failed
        assert "learned from recordings that other holds too: angry-11;" in skipped.line()
    with pytest.raises(UserError, match="no kept model may be scored"):
        done.raise_for_failures()


def test_without_the_recordings_of_train_scores_are_marked(
    store: ResultsStore, tmp_path: Path
) -> None:
    """As they were changed since: what lies there says nothing of what was learned."""
    for path in store.trials.glob("*/record.json"):
        content = json.loads(path.read_text())
        content["digests"]["audio"] = "of other recordings"
        path.write_text(json.dumps(content))
    spec = another_corpus(tmp_path, {"angry": "angry", "sad": "sad"})
    done = harness.evaluate(store.folder, corpus=spec, device="cpu", reporter=Quiet())
    assert all("COPIES UNCHECKED" in row.flags for found in done.reports for row in found.rows)
    own = evaluate(store)
    assert own.scored == ()
    assert all("have changed since it was trained" in each.reason for each in own.not_scored)


def test_labels_of_another_corpus_are_mapped_by_name(store: ResultsStore, tmp_path: Path) -> None:
    spec = another_corpus(tmp_path, {"angry": "anger", "sad": "sadness"})
    done = evaluate(store, corpus=spec)
    assert done.scored == ()
    assert all("also has anger, sadness: map them" in each.reason for each in done.not_scored)
    mapped = spec.model_copy(update={"labels": {"anger": "angry", "sadness": "sad"}})
    assert len(evaluate(store, corpus=mapped).scored) == len(store.read_trials())


def test_a_model_that_was_not_kept_is_said_to_be_missing(store: ResultsStore) -> None:
    with pytest.raises(ResultsError, match="no model of trial 000000000000 was kept"):
        evaluate(store, "000000000000")


def test_models_that_may_not_be_scored_are_passed_over_and_the_others_go_on(
    store: ResultsStore, tmp_path: Path
) -> None:
    """One was trained on other weights, and one on the corpus of that name."""
    other_weights, of_that_name = store.read_trials()
    change(store, other_weights, digests={"weights": "w"})
    reporter = Quiet()
    done = evaluate_kept(store, None, None, reporter, device="cpu", offline=True)
    assert done.scored == (of_that_name.trial_id,)
    (skipped,) = done.not_scored
    assert skipped.trial_id == other_weights.trial_id
    assert "trained on other weights of tiny-wavlm" in skipped.reason
    assert skipped.line() in reporter.notes
    done.raise_for_failures()  # the rest may not be scored, which is no failure
    change(store, of_that_name, trial={"corpus": {"name": "other", "kind": "synthetic"}})
    spec = another_corpus(tmp_path, {"angry": "angry", "sad": "sad"})
    done = evaluate(store, corpus=spec)
    assert done.scored == ()
    reasons = {each.trial_id: each.reason for each in done.not_scored}
    assert "it was trained on other: leave --corpus out" in reasons[of_that_name.trial_id]


def change(store: ResultsStore, record: Record, **changes: dict[str, Any]) -> None:
    path = store.trial(record.trial_id) / "record.json"
    content = json.loads(path.read_text())
    for part, changed in changes.items():
        content[part] |= changed
    path.write_text(json.dumps(content))


def test_a_damaged_model_fails_and_the_others_go_on(store: ResultsStore) -> None:
    evaluate(store)
    damaged, whole = store.read_trials()
    path = store.trial(damaged.trial_id) / "model.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    done = evaluate(store)
    assert done.scored == (whole.trial_id,)
    assert list(outcomes(store, None)) == [whole.trial_id]  # the other's scores are set aside
    (failed,) = done.not_scored
    assert failed.failed
    with pytest.raises(TrialError, match=f"failed: {damaged.trial_id}: .* is damaged"):
        done.raise_for_failures()


def test_scores_of_a_model_that_is_gone_are_set_aside(store: ResultsStore) -> None:
    evaluate(store)
    gone, left = (record.trial_id for record in store.read_trials())
    (store.trial(gone) / "model.safetensors").unlink()
    evaluate(store, left)
    assert list(outcomes(store, None)) == [left]


def test_another_corpus_of_that_name_does_not_mix_with_the_first(
    store: ResultsStore, tmp_path: Path
) -> None:
    first, second = (record.trial_id for record in store.read_trials())
    evaluate(store, first, another_corpus(tmp_path, {"angry": "angry", "sad": "sad"}))
    changed = another_corpus(tmp_path, {"angry": "angry", "happy": "happy"})
    evaluate(store, second, changed)
    assert list(outcomes(store, "other")) == [second]


def test_a_run_in_the_folder_keeps_evaluations_out(store: ResultsStore) -> None:
    with holding(store.folder, lambda _: None), pytest.raises(ResultsError, match="is in use by"):
        harness.evaluate(store.folder, device="cpu", reporter=Quiet())


def test_limited_and_full_trials_in_one_folder_are_scored_on_their_own_splits(
    tmp_path: Path,
) -> None:
    store = ResultsStore(tmp_path)
    changes = ["training.epochs=1", "backbones=[tiny-wavlm]", "cost=null", "keep_models=all"]
    suite = load_suite("smoke", [*changes, "matrix.finetune_layers=[0]"])
    for limit in (64, 128):
        plan = make_plan(suite, limit_utterances=limit)
        run_plan(plan, store, Quiet(), RuntimeOptions("cpu"))
    evaluate(store)
    for record in store.read_trials():
        again = outcomes(store, None)[record.trial_id]
        assert again.metrics["test"].uar == pytest.approx(record.metrics["test"].uar)
    other = another_corpus(tmp_path, {"angry": "angry", "sad": "sad"})
    evaluate(store, corpus=other)
    assert {each.metrics["test"].utterances for each in outcomes(store, "other").values()} == {4}
