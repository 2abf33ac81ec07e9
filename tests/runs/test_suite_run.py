"""A run: nothing finished is lost, nothing stale is taken for finished."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from quiet import Quiet

import harness
from harness.config.suite_loading import load_suite
from harness.data.readers import synthetic
from harness.errors import ResultsError, TrialError, UserError
from harness.model.components import LOSSES, POOLINGS
from harness.reporting.rendering import report_of
from harness.results import provenance
from harness.results.provenance import LAST_CODE_DIGEST
from harness.results.records import Record
from harness.results.store import MODEL, ResultsStore
from harness.runs import results_sink
from harness.runs.model_retention import BEATEN, beaten_rivals
from harness.runs.planning import make_plan
from harness.runs.run_summary import RunSummary
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.suite_run import run_plan

SMALL = (
    "training.epochs=1",
    "matrix.finetune_layers=[0]",
    "backbones=[tiny-wavlm]",
    "cost=null",
)


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A corpus of one's own: synthetic speech of four speakers with a manifest."""
    folder = tmp_path / "mine"
    folder.mkdir()
    lines = ["file,label,speaker"]
    for speaker in list(synthetic.SPEAKERS)[:4]:
        for label in synthetic.EMOTIONS:
            for take in (1, 2):
                name = f"{speaker}-{label}-{take}.wav"
                soundfile.write(folder / name, synthetic.synthesise(speaker, label, take), 16_000)
                lines.append(f"{name},{label},{speaker}")
    (folder / "list.csv").write_text("\n".join(lines))
    return folder


def run(
    store: ResultsStore,
    folder: Path,
    *changes: str,
    reporter: Quiet | None = None,
    **how: bool,
) -> RunSummary:
    corpus = f"corpora=[{{name: mine, kind: manifest, root: {folder}, manifest: list.csv}}]"
    suite = load_suite("smoke", [*SMALL, corpus, "protocol.folds=4", *changes])
    options = RuntimeOptions("cpu", offline=True)
    return run_plan(make_plan(suite), store, reporter or Quiet(), options, **how)


def test_what_is_finished_is_taken_as_it_is(tmp_path: Path, recordings: Path) -> None:
    store = ResultsStore(tmp_path / "results")
    first = run(store, recordings)
    again = run(store, recordings)
    assert (first.reused, again.reused) == (0, 1)
    assert first.records == again.records


def test_changed_recordings_set_the_old_outcome_aside_and_run_again(
    tmp_path: Path, recordings: Path
) -> None:
    store = ResultsStore(tmp_path / "results")
    old = run(store, recordings).records[0]
    path = next(recordings.glob("*.wav"))
    samples, rate_hz = soundfile.read(path)
    soundfile.write(path, np.flip(samples), rate_hz)
    summary = run(store, recordings)
    assert summary.reused == 0
    assert summary.records[0].trial_id == old.trial_id
    assert summary.records[0].digests != old.digests
    assert len(list((store.folder / "superseded").iterdir())) == 1


def test_the_same_recordings_elsewhere_are_the_same_trial(tmp_path: Path, recordings: Path) -> None:
    store = ResultsStore(tmp_path / "results")
    run(store, recordings)
    moved = tmp_path / "moved"
    shutil.copytree(recordings, moved)
    assert run(store, moved).reused == 1


def test_a_failed_trial_does_not_stop_the_others(tmp_path: Path, recordings: Path) -> None:
    store = ResultsStore(tmp_path / "results")
    summary = run(store, recordings, "matrix.learning_rate.head=[1.0e+30, 1.0e-3]")
    assert [record.status for record in summary.records] == ["failed", "ok"]
    assert summary.failed == 1
    assert "lower the learning rates" in (summary.records[0].error or "")


def test_a_failed_trial_is_run_again(tmp_path: Path, recordings: Path) -> None:
    store = ResultsStore(tmp_path / "results")
    assert run(store, recordings, "training.time_limit_s=0.0001").records[0].status == "timeout"
    assert run(store, recordings).records[0].status == "ok"


def test_all_mistakes_are_told_before_anything_starts(tmp_path: Path, recordings: Path) -> None:
    next(recordings.glob("*.wav")).write_bytes(b"not audio")
    store = ResultsStore(tmp_path / "results")
    missing = f"backbones=[{{name: wavlm-base, source: {tmp_path / 'nowhere'}}}]"
    with pytest.raises(UserError) as error:
        run(store, recordings, missing, "training.precision=fp16")
    for part in ("cannot be decoded", "wavlm-base", "fp16 needs a GPU"):
        assert part in str(error.value)
    assert store.read_trials() == []


def test_a_beaten_model_that_a_killed_run_left_is_swept_by_the_next(
    tmp_path: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    store = ResultsStore(tmp_path / "results")
    first = run(store, recordings, "keep_models=best").records[0]
    worse = {"dev": first.metrics["dev"].model_copy(update={"macro_f1": 0.0})}
    store.write_trial(first.model_copy(update={"metrics": worse}), store.read_predictions(first))
    two = ("keep_models=best", "matrix.seed=[1, 2]")
    with monkeypatch.context() as patch:
        patch.setattr(results_sink, "remove_beaten", killed)
        with pytest.raises(KeyboardInterrupt):
            run(store, recordings, *two)
    assert len(list(store.trials.glob(f"*/{MODEL}"))) == 2
    summary = run(store, recordings, *two)
    assert summary.reused == 2
    (kept,) = store.trials.glob(f"*/{MODEL}")
    assert kept.parent.name != first.trial_id
    assert not (store.folder / BEATEN).exists()


def test_a_model_that_a_killed_run_left_without_a_record_does_not_stay_beside_one(
    tmp_path: Path, recordings: Path
) -> None:
    store = ResultsStore(tmp_path / "results")
    (trial,) = run(store, recordings, "keep_models=none").records
    folder = store.trial(trial.trial_id)
    (folder / "record.json").unlink()
    (folder / MODEL).write_bytes(b"of another attempt")
    run(store, recordings, "keep_models=none")
    assert not (folder / MODEL).exists()


@pytest.mark.parametrize(("policy", "kept"), [("none", 0), ("best", 1), ("all", 3)])
def test_models_are_kept_as_the_suite_says(
    policy: str, kept: int, tmp_path: Path, recordings: Path
) -> None:
    store = ResultsStore(tmp_path / "results")
    summary = run(store, recordings, f"keep_models={policy}", "matrix.seed=[1, 2, 3]")
    models = {path.parent.name for path in store.trials.glob(f"*/{MODEL}")}
    assert len(models) == kept
    if policy == "best":
        best = max(summary.records, key=lambda record: record.metrics["dev"].macro_f1)
        assert models == {best.trial_id}


def test_a_model_competes_on_dev_with_comparable_trials_alone(
    tmp_path: Path, recordings: Path
) -> None:
    store = ResultsStore(tmp_path / "results")
    record = run(store, recordings).records[0]

    def rival(score: float, **changes: object) -> Record:
        dev = record.metrics["dev"].model_copy(update={"macro_f1": score})
        trial = record.trial.model_copy(update=changes)
        update = {"trial_id": "rival", "metrics": {"dev": dev}, "trial": trial}
        return record.model_copy(update=update)

    assert beaten_rivals(store, rival(-1.0), "best") is None
    assert beaten_rivals(store, rival(2.0), "best") == [record]
    assert beaten_rivals(store, rival(2.0, limit_utterances=8), "best") == []
    assert beaten_rivals(store, rival(-1.0), "all") == []


def test_a_record_means_that_its_model_is_there_too(
    tmp_path: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.runs.model_retention.save_file", full_disk)
    store = ResultsStore(tmp_path / "results")
    with pytest.raises(ResultsError, match=r"cannot write results to .*No space left"):
        run(store, recordings)
    assert store.read_trials() == []


def test_changed_labels_set_the_old_outcome_aside(tmp_path: Path, recordings: Path) -> None:
    store = ResultsStore(tmp_path / "results")
    run(store, recordings)
    listed = (recordings / "list.csv").read_text()
    swapped = listed.replace("-1.wav,sad,", "-1.wav,x,").replace("-1.wav,happy,", "-1.wav,sad,")
    (recordings / "list.csv").write_text(swapped.replace("-1.wav,x,", "-1.wav,happy,"))
    assert run(store, recordings).reused == 0


def test_a_row_leaves_out_folds_whose_labels_were_others(tmp_path: Path, recordings: Path) -> None:
    store = ResultsStore(tmp_path / "results")
    run(store, recordings, "protocol.only_folds=[1,2]")
    listed = (recordings / "list.csv").read_text()
    (recordings / "list.csv").write_text(listed.replace("-1.wav,sad,", "-1.wav,happy,"))
    (record,) = run(store, recordings, "protocol.only_folds=[1]").records
    (row,) = report_of(store).rows
    assert row.scores["uar"].mean == record.metrics["test"].value("uar")
    assert {"STALE 1", "INCOMPLETE 1 of 2"} <= set(row.flags)
    (note,) = (note for note in report_of(store).footnotes if note.startswith("STALE, "))
    assert "mine fold 2" in note
    assert "fold 1" not in note


def test_what_is_put_back_as_it_was_counts_again(tmp_path: Path, recordings: Path) -> None:
    store = ResultsStore(tmp_path / "results")
    run(store, recordings, "protocol.only_folds=[1,2]")
    path = next(recordings.glob("*.wav"))
    original = path.read_bytes()
    samples, rate_hz = soundfile.read(path)
    soundfile.write(path, np.flip(samples), rate_hz)
    run(store, recordings, "protocol.only_folds=[1]")
    assert "STALE 1" in report_of(store).rows[0].flags
    path.write_bytes(original)
    run(store, recordings, "protocol.only_folds=[1]")
    (row,) = report_of(store).rows
    assert row.folds == 2
    assert "STALE 1" not in row.flags


def test_a_broken_record_is_told_before_anything_starts(tmp_path: Path, recordings: Path) -> None:
    store = ResultsStore(tmp_path / "results")
    record = run(store, recordings).records[0]
    (store.trial(record.trial_id) / "record.json").write_text("{")
    with pytest.raises(ResultsError, match="is not a record"):
        run(store, recordings)


def test_a_crop_that_gives_no_frame_is_told_before_anything_starts(
    tmp_path: Path, recordings: Path
) -> None:
    with pytest.raises(UserError, match=r"crop_s: 0.01 is too short for tiny-wavlm"):
        run(ResultsStore(tmp_path / "results"), recordings, "training.crop_s=0.01")


def test_the_run_tells_what_the_recordings_are_like(tmp_path: Path, recordings: Path) -> None:
    reporter = Quiet()
    run(ResultsStore(tmp_path / "results"), recordings, reporter=reporter)
    assert "mine: 32 of 32 utterances used" in reporter.notes[0]
    kept = tmp_path / "results" / "quality" / "mine.txt"
    assert "mine: 32 of 32 utterances used" in kept.read_text()


def test_an_estimate_that_was_asked_for_stands_beside_what_was_taken(
    tmp_path: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    store, reporter = ResultsStore(tmp_path / "results"), Quiet()
    summary = run(store, recordings, "training.epochs=2", reporter=reporter, estimate=True)
    assert any(note.startswith("estimated for one worker: ") for note in reporter.notes)
    assert re.search(r"; estimated .+ s, took .+ s; frames .+ planned, .+ written$", summary.line())
    (group,) = json.loads((store.folder / "estimate.json").read_text())["groups"]
    assert group["expected"]["frames_bytes"] == group["taken"]["frames_bytes"] > 0
    assert 0 < group["taken"]["training_s"] == summary.records[0].wall_s


def test_nothing_is_estimated_unless_it_is_asked_for(
    tmp_path: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("harness.runs.suite_run.estimate_apart")
    store, reporter = ResultsStore(tmp_path / "results"), Quiet()
    summary = run(store, recordings, reporter=reporter)
    assert re.search(r"; took .+ s; frames .+ written$", summary.line())
    assert not [note for note in reporter.notes if "estimate" in note]
    assert not (store.folder / "estimate.json").exists()


def test_nothing_is_estimated_where_nothing_is_left_to_do(tmp_path: Path, recordings: Path) -> None:
    store, reporter = ResultsStore(tmp_path / "results"), Quiet()
    run(store, recordings)
    again = run(store, recordings, reporter=reporter, estimate=True)
    assert again.timings is None
    assert not [note for note in reporter.notes if "estimate" in note]


def test_an_estimate_that_fails_does_not_stop_a_run(
    tmp_path: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise TrialError("RuntimeError: no such kernel")

    monkeypatch.setattr("harness.runs.suite_run.estimate_apart", broken)
    store, reporter = ResultsStore(tmp_path / "results"), Quiet()
    summary = run(store, recordings, reporter=reporter, estimate=True)
    assert [record.status for record in summary.records] == ["ok"]
    assert "no estimate: RuntimeError: no such kernel" in reporter.notes
    assert "; took " in summary.line()
    assert "estimated" not in summary.line()


def test_a_fresh_run_trains_anew_and_sets_the_old_outcome_aside(
    tmp_path: Path, recordings: Path
) -> None:
    store = ResultsStore(tmp_path / "results")
    first = run(store, recordings)
    again = run(store, recordings, fresh=True)
    assert again.reused == 0
    assert again.records[0].metrics == first.records[0].metrics
    (aside,) = (store.folder / "superseded").iterdir()
    assert aside.name.startswith(first.records[0].trial_id)


def as_written_by(store: ResultsStore, code: str) -> None:
    """Turn the records of a folder into those of a program that knew no fingerprints."""
    for path in store.trials.glob("*/record.json"):
        content = json.loads(path.read_text())
        content["digests"]["code"] = code
        del content["fingerprint"]
        path.write_text(json.dumps(content | {"schema_version": 3}))


def test_what_the_last_program_without_fingerprints_finished_is_finished(
    tmp_path: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as long as no part that it used has another version since
    monkeypatch.setattr(provenance, "VERSIONS", dict.fromkeys(provenance.VERSIONS, 1))
    pooling = POOLINGS["attentive_statistics"]
    monkeypatch.setitem(POOLINGS, "attentive_statistics", replace(pooling, version=1))
    store = ResultsStore(tmp_path / "results")
    run(store, recordings)
    as_written_by(store, LAST_CODE_DIGEST)
    assert run(store, recordings).reused == 1


def test_what_an_unknown_program_finished_is_trained_again(
    tmp_path: Path, recordings: Path
) -> None:
    store, reporter = ResultsStore(tmp_path / "results"), Quiet()
    run(store, recordings)
    as_written_by(store, "f" * 64)
    assert run(store, recordings, reporter=reporter).reused == 0
    assert "1 finished trial is trained again: an earlier program" in reporter.notes


def test_a_raised_version_trains_again_only_what_rests_on_the_part(
    tmp_path: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, reporter = ResultsStore(tmp_path / "results"), Quiet()
    losses = "matrix.loss=[cross_entropy, dr]"
    run(store, recordings, losses)
    monkeypatch.setitem(LOSSES, "dr", replace(LOSSES["dr"], version=2))
    again = run(store, recordings, losses, reporter=reporter)
    assert again.reused == 1
    assert "1 finished trial is trained again: loss.dr 1 → 2" in reporter.notes


def edited_program(folder: Path) -> Path:
    """A copy of the program with a comment, a renamed function, a new reader, another report."""
    root = Path(harness.__file__).parents[1]
    for package in ("harness", "backbones", "suites"):
        shutil.copytree(root / package, folder / package, ignore=shutil.ignore_patterns("__py*"))
    edits = {
        "harness/data/audio.py": ("_sample_range", "_samples_between"),
        "harness/training/fit.py": ("_deadline", "_latest"),
        "harness/tasks/__init__.py": ('"Macro-F1"', '"Mean F1"'),
        "harness/data/splits/folds.py": ("PUBLISHED = ", "# a comment\nPUBLISHED = "),
    }
    for name, (old, new) in edits.items():
        path = folder / name
        path.write_text(path.read_text().replace(old, new))
    (folder / "harness/data/readers/mine.py").write_text('"""A new reader."""\n')
    return folder


@pytest.mark.slow
def test_an_edit_that_changes_no_number_voids_nothing_and_is_told(
    tmp_path: Path, recordings: Path
) -> None:
    results, seeds = tmp_path / "results", "matrix.seed=[1]"
    run(ResultsStore(results / "smoke"), recordings, seeds)
    corpus = f"corpora=[{{name: mine, kind: manifest, root: {recordings}, manifest: list.csv}}]"
    changes = [*SMALL, corpus, "protocol.folds=4", "matrix.seed=[1, 2]"]
    changes += ["must_beat_majority=false"]
    command = [sys.executable, "-m", "harness", "run", "smoke", "--results", str(results)]
    command += ["--device", "cpu", *(part for change in changes for part in ("--set", change))]
    program = edited_program(tmp_path / "program")
    done = subprocess.run(
        command,
        cwd=program,
        env={**os.environ, "PYTHONPATH": str(program)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert "trained again" not in told
    assert not (results / "smoke" / "superseded").exists()
    report = (results / "smoke" / "report" / "comparison.md").read_text()
    assert "MIXED: the rows come from 2 versions of the program" in report
    assert "Mean F1" in report


def test_a_part_that_ends_the_program_ends_its_trial_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaving = replace(LOSSES["dr"], target="leaving:LeavingLoss")
    monkeypatch.setitem(LOSSES, "dr", leaving)
    suite = load_suite("smoke", [*SMALL, "matrix.loss=[dr, cross_entropy]"])
    summary = run_plan(
        make_plan(suite), ResultsStore(tmp_path), Quiet(), RuntimeOptions(offline=True)
    )
    assert {record.trial.loss: record.status for record in summary.records} == {
        "dr": "failed",
        "cross_entropy": "ok",
    }
    assert any("SystemExit: 0" in str(record.error) for record in summary.records)


def test_a_folder_that_vanished_during_the_run_is_told(tmp_path: Path) -> None:
    class Vandal(Quiet):
        def note(self, text: str) -> None:
            if "test UAR" in text:
                shutil.rmtree(tmp_path / "results", ignore_errors=True)

    with pytest.raises(TrialError, match="1 of 1 outcomes are no longer in"):
        run_plan(
            make_plan(load_suite("smoke", SMALL)),
            ResultsStore(tmp_path / "results"),
            Vandal(),
            RuntimeOptions(offline=True),
        )
