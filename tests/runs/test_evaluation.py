"""Kept models scored again: on their own test split, and on another corpus."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from quiet import Quiet

from harness.config.suite_loading import load_suite
from harness.data.prepared_corpus import cut_fold, labelled, prepare_corpus
from harness.data.readers import synthetic
from harness.errors import ResultsError, UserError
from harness.results.store import ResultsStore
from harness.runs.evaluation import evaluate_kept, restore
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
            lines.append(f"{name},{theirs},someone")
    (folder / "list.csv").write_text("\n".join(lines))
    return CorpusSpec(name="other", kind="manifest", root=str(folder), manifest="list.csv")


def evaluate(store: ResultsStore, *arguments: Any) -> Any:
    return evaluate_kept(store, *arguments, Quiet(), device="cpu", offline=True)


def test_each_model_scores_on_its_own_test_split_as_its_record_says(trained: ResultsStore) -> None:
    frame = evaluate(trained, None, None).set_index("trial_id")
    for record in trained.read_trials():
        for metric in ("accuracy", "uar", "macro_f1", "weighted_f1"):
            expected = getattr(record.metrics["test"], metric)
            assert frame.loc[record.trial_id, metric] == pytest.approx(expected)


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


def test_one_model_can_be_asked_for(trained: ResultsStore) -> None:
    wanted = trained.read_trials()[0].trial_id
    assert evaluate(trained, wanted, None)["trial_id"].tolist() == [wanted]


def test_another_corpus_is_scored_whole_and_among_its_own_classes(
    trained: ResultsStore, tmp_path: Path
) -> None:
    spec = another_corpus(tmp_path, {"angry": "angry", "sad": "sad"})
    frame = evaluate(trained, None, spec)
    assert set(frame["utterances"]) == {4}
    assert set(frame["scored_on"]) == {"other"}
    assert frame["accuracy"].between(0, 1).all()
    assert np.isfinite(frame["macro_f1"]).all()


def test_with_fewer_classes_both_choices_are_scored_and_each_row_says_which(
    trained: ResultsStore, tmp_path: Path
) -> None:
    frame = evaluate(trained, None, another_corpus(tmp_path, {"angry": "angry", "sad": "sad"}))
    both = {"2 of 4 outputs", "4 of 4 outputs"}
    assert frame.groupby("trial_id")["chosen_among"].agg(set).tolist() == [both] * (len(frame) // 2)
    few = frame[frame["chosen_among"] == "2 of 4 outputs"]["accuracy"].to_numpy()
    all_of_them = frame[frame["chosen_among"] == "4 of 4 outputs"]["accuracy"].to_numpy()
    assert (few >= all_of_them).all()  # what is right among all is right among some
    own = evaluate(trained, None, None)
    assert set(own["chosen_among"]) == {"4 of 4 outputs"}
    assert own["trial_id"].is_unique


def test_what_was_learned_under_another_name_is_not_scored(
    trained: ResultsStore, tmp_path: Path
) -> None:
    """A recording of train, written anew by another encoder, under another speaker."""
    spec = another_corpus(tmp_path, {"angry": "angry", "sad": "sad"})
    record = trained.read_trials()[0]
    prepared = prepare_corpus(record.trial.corpus, None, Quiet())
    by_id, lengths = prepared.corpus.by_id(), {i.utterance_id: i for i in prepared.audio_info}
    train = cut_fold(record.trial, prepared).splits.train
    name = next(each for each in train if lengths[each].envelope)
    soundfile.write(tmp_path / "angry-11.ogg", soundfile.read(by_id[name].path)[0], 16_000)
    listed = (tmp_path / "list.csv").read_text().replace("angry-11.wav", "angry-11.ogg")
    (tmp_path / "list.csv").write_text(listed)
    with pytest.raises(UserError, match=r"learned from recordings that other holds too: angry-11;"):
        evaluate(trained, record.trial_id, spec)


def test_labels_of_another_corpus_are_mapped_by_name(trained: ResultsStore, tmp_path: Path) -> None:
    spec = another_corpus(tmp_path, {"angry": "anger", "sad": "sadness"})
    with pytest.raises(UserError, match="also has anger, sadness: map them"):
        evaluate(trained, None, spec)
    mapped = spec.model_copy(update={"labels": {"anger": "angry", "sadness": "sad"}})
    assert set(evaluate(trained, None, mapped)["utterances"]) == {4}


def test_a_model_that_was_not_kept_is_said_to_be_missing(trained: ResultsStore) -> None:
    with pytest.raises(ResultsError, match="no model of trial 000000000000 was kept"):
        evaluate(trained, "000000000000", None)


def test_random_weights_are_marked_here_too(trained: ResultsStore) -> None:
    assert set(evaluate(trained, None, None)["flags"]) == {"RANDOM"}


def test_limited_and_full_trials_in_one_folder_are_scored_on_their_own_splits(
    tmp_path: Path,
) -> None:
    store = ResultsStore(tmp_path)
    changes = ["training.epochs=1", "backbones=[tiny-wavlm]", "cost=null", "keep_models=all"]
    suite = load_suite("smoke", [*changes, "matrix.finetune_layers=[0]"])
    for limit in (64, 128):
        plan = make_plan(suite, limit_utterances=limit)
        run_plan(plan, store, Quiet(), RuntimeOptions("cpu"))
    frame = evaluate(store, None, None).set_index("trial_id")
    for record in store.read_trials():
        assert frame.loc[record.trial_id, "uar"] == pytest.approx(record.metrics["test"].uar)
    other = another_corpus(tmp_path, {"angry": "angry", "sad": "sad"})
    assert set(evaluate(store, None, other)["utterances"]) == {4}


def test_a_damaged_model_is_named(trained: ResultsStore) -> None:
    trial_id = trained.read_trials()[0].trial_id
    path = trained.trial(trial_id) / "model.safetensors"
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ResultsError, match="is damaged"):
            evaluate(trained, trial_id, None)
    finally:
        path.write_bytes(whole)
