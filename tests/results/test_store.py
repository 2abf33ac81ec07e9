"""The results folder: whole records or none, and clear words about broken ones."""

import json
import os
from datetime import datetime, tzinfo
from pathlib import Path

import pandas as pd
import pytest
from made_up import make_predictions, make_record, make_trial

from harness.errors import ResultsError
from harness.results.current_inputs import CurrentInputs
from harness.results.records import SCHEMA_VERSION, Record
from harness.results.store import PREDICTIONS, ResultsStore, open_results
from harness.specs import BackboneSpec, CorpusSpec, ProtocolSpec, Trial


def record(**changes: object) -> Record:
    trial = Trial(
        corpus=CorpusSpec(name="synthetic"),
        protocol=ProtocolSpec(),
        fold=1,
        backbone=BackboneSpec(name="tiny-wavlm"),
    )
    fields: dict[str, object] = {
        "trial_id": trial.trial_id,
        "suite": "smoke",
        "trial": trial,
        "status": "ok",
        "started_at": "2026-01-01T00:00:00+00:00",
        "wall_s": 1.5,
    }
    return Record.model_validate(fields | changes)


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    store.write_trial(record(), None)
    assert store.read_trials() == [record()]
    assert store.find_trial(record().trial_id) == record()


def test_a_record_of_an_older_version_is_read_without_what_it_does_not_say(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    store.write_trial(record(backbone_depth=4, emotion_labels_seen=["RAVDESS"]), None)
    path = store.trial(record().trial_id) / "record.json"
    content = json.loads(path.read_text())
    del content["backbone_depth"], content["emotion_labels_seen"]
    path.write_text(json.dumps(content | {"schema_version": 1}))
    (old,) = store.read_trials()
    assert (old.backbone_depth, old.emotion_labels_seen) == (None, None)


def test_records_that_do_not_say_whom_they_learned_from_are_read_and_recognised() -> None:
    """The kept run that every new one is compared with."""
    records = ResultsStore(Path(__file__).parents[1] / "baselines" / "smoke").read_trials()
    assert {record.schema_version < SCHEMA_VERSION for record in records} == {True}
    for record in records:
        assert (record.splits, record.sentences_shared, record.scored) == ({}, None, None)
        assert record.trial_id == record.trial.trial_id


def test_predictions_come_back_as_they_were_written(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    frame = pd.DataFrame({"utterance_id": ["a"], "label": ["sad"], "p_sad": [0.25]})
    store.write_trial(record(), frame)
    (kept,) = store.read_trials()
    pd.testing.assert_frame_equal(store.read_predictions(kept), frame)


def test_predictions_of_another_trial_or_with_a_flipped_byte_are_refused(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    frame = pd.DataFrame({"utterance_id": ["a"], "label": ["sad"], "p_sad": [0.25]})
    store.write_trial(record(), frame)
    (kept,) = store.read_trials()
    path = store.trial(kept.trial_id) / PREDICTIONS
    whole = path.read_bytes()
    path.write_bytes(whole[:20] + bytes([whole[20] ^ 1]) + whole[21:])
    with pytest.raises(ResultsError, match="not the file that its record speaks of"):
        store.read_predictions(kept)
    # a record of before has no digest: what cannot be read at all is still told
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ResultsError, match="is damaged"):
        store.read_predictions(kept.model_copy(update={"predictions_digest": None}))


@pytest.mark.parametrize("uar", [-1.0, 7.5, "much"])
def test_a_score_that_cannot_be_is_no_record(tmp_path: Path, uar: object) -> None:
    store = ResultsStore(tmp_path)
    trial = make_trial()
    store.write_trial(make_record(trial, make_predictions(trial)), None)
    (kept,) = store.read_trials()
    path = store.trial(kept.trial_id) / "record.json"
    content = json.loads(path.read_text())
    content["metrics"]["test"]["uar"] = uar
    path.write_text(json.dumps(content))
    with pytest.raises(ResultsError, match="is not a record"):
        store.read_trials()


def test_a_pipe_in_place_of_a_record_is_no_file(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    store.write_trial(record(), None)
    path = store.trial(record().trial_id) / "record.json"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ResultsError, match="is no file"):
        store.read_trials()


def test_a_trial_that_never_ran_has_no_record(tmp_path: Path) -> None:
    assert ResultsStore(tmp_path).find_trial("0" * 12) is None


def test_a_crash_while_writing_leaves_the_old_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ResultsStore(tmp_path)
    store.write_trial(record(), None)

    def full_disk(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        store.write_trial(record(status="failed"), None)
    assert store.read_trials() == [record()]
    assert [path.name for path in store.trial(record().trial_id).iterdir()] == ["record.json"]


def test_an_outcome_set_aside_is_kept_elsewhere(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    store.write_trial(record(), None)
    moved = store.supersede(store.trial(record().trial_id))
    assert store.read_trials() == []
    assert (moved / "record.json").exists()


def test_outcomes_are_set_aside_side_by_side_though_the_clock_jumps_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Stopped":
            return cls(2026, 1, 1, tzinfo=tz)

    monkeypatch.setattr("harness.results.store.datetime", Stopped)
    store = ResultsStore(tmp_path)
    for _ in range(3):
        store.write_trial(record(), None)
        store.supersede(store.trial(record().trial_id))
    assert len(list((tmp_path / "superseded").glob("*/record.json"))) == 3


def test_a_broken_record_is_named_with_what_to_do(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    store.write_trial(record(), None)
    path = store.trial(record().trial_id) / "record.json"
    path.write_text(path.read_text()[:40])
    with pytest.raises(ResultsError, match=r"record\.json is not a record .* move its folder"):
        store.read_trials()


def test_a_record_of_a_newer_harness_is_refused(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    store.write_trial(record(), None)
    path = store.trial(record().trial_id) / "record.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"schema_version": SCHEMA_VERSION + 1, "new": 1}))
    with pytest.raises(ResultsError, match="upgrade"):
        store.read_trials()


def test_a_folder_without_trials_is_not_results(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="no results in"):
        open_results(tmp_path)


def test_a_place_that_cannot_be_written_is_said_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="Choose another folder with --results"):
        ResultsStore(tmp_path / "file" / "suite").prepare()


def test_damaged_notes_of_what_lies_there_are_named(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    assert store.read_inputs() == CurrentInputs()
    store.write_inputs(CurrentInputs(data={"a": "b"}))
    assert store.read_inputs().data == {"a": "b"}
    (tmp_path / "inputs.json").write_text("{")
    with pytest.raises(ResultsError, match=r"inputs\.json is damaged: delete it"):
        store.read_inputs()
