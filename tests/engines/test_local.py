"""The engine: nothing finished is lost, nothing stale is taken for finished."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from quiet import Quiet

from harness.corpora import synthetic
from harness.engines.keep import keep_model
from harness.engines.local import RunSummary, run_suite
from harness.errors import UserError
from harness.records.store import MODEL, Store
from harness.suite.load import load_suite
from harness.suite.matrix import expand

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


def run(store: Store, folder: Path, *changes: str, reporter: Quiet | None = None) -> RunSummary:
    corpus = f"corpora=[{{name: mine, kind: manifest, root: {folder}, manifest: list.csv}}]"
    suite = load_suite("smoke", [*SMALL, corpus, "protocol.folds=4", *changes])
    trials = expand(suite, lambda spec: (1,))
    return run_suite(suite, trials, store, reporter or Quiet(), device="cpu", offline=True)


def test_what_is_finished_is_taken_as_it_is(tmp_path: Path, recordings: Path) -> None:
    store = Store(tmp_path / "results")
    first = run(store, recordings)
    again = run(store, recordings)
    assert (first.reused, again.reused) == (0, 1)
    assert first.records == again.records


def test_changed_recordings_set_the_old_outcome_aside_and_run_again(
    tmp_path: Path, recordings: Path
) -> None:
    store = Store(tmp_path / "results")
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
    store = Store(tmp_path / "results")
    run(store, recordings)
    moved = tmp_path / "moved"
    shutil.copytree(recordings, moved)
    assert run(store, moved).reused == 1


def test_a_failed_trial_does_not_stop_the_others(tmp_path: Path, recordings: Path) -> None:
    store = Store(tmp_path / "results")
    summary = run(store, recordings, "matrix.learning_rate.head=[1.0e+30, 1.0e-3]")
    assert [record.status for record in summary.records] == ["failed", "ok"]
    assert summary.failed == 1
    assert "lower the learning rates" in (summary.records[0].error or "")


def test_a_failed_trial_is_run_again(tmp_path: Path, recordings: Path) -> None:
    store = Store(tmp_path / "results")
    assert run(store, recordings, "training.time_limit_s=0.0001").records[0].status == "timeout"
    assert run(store, recordings).records[0].status == "ok"


def test_all_mistakes_are_told_before_anything_starts(tmp_path: Path, recordings: Path) -> None:
    next(recordings.glob("*.wav")).write_bytes(b"not audio")
    store = Store(tmp_path / "results")
    missing = f"backbones=[{{name: wavlm-base, source: {tmp_path / 'nowhere'}}}]"
    with pytest.raises(UserError) as error:
        run(store, recordings, missing, "training.precision=fp16")
    for part in ("cannot be decoded", "wavlm-base", "fp16 needs a GPU"):
        assert part in str(error.value)
    assert store.read_trials() == []


@pytest.mark.parametrize(("policy", "kept"), [("none", 0), ("best", 1), ("all", 3)])
def test_models_are_kept_as_the_suite_says(
    policy: str, kept: int, tmp_path: Path, recordings: Path
) -> None:
    store = Store(tmp_path / "results")
    summary = run(store, recordings, f"keep_models={policy}", "matrix.seed=[1, 2, 3]")
    models = {path.parent.name for path in store.trials.glob(f"*/{MODEL}")}
    assert len(models) == kept
    if policy == "best":
        best = max(summary.records, key=lambda record: record.metrics["dev"].macro_f1)
        assert models == {best.trial_id}


def test_a_worse_model_leaves_the_kept_one_alone(tmp_path: Path, recordings: Path) -> None:
    store = Store(tmp_path / "results")
    record = run(store, recordings).records[0]
    path = store.trial(record.trial_id) / MODEL
    before = path.read_bytes()
    dev = record.metrics["dev"].model_copy(update={"macro_f1": -1.0})
    worse = record.model_copy(update={"trial_id": "worse", "metrics": {"dev": dev}})
    keep_model(store, worse, {}, "best")
    assert path.read_bytes() == before
    assert not (store.trial("worse") / MODEL).exists()


def test_the_run_tells_what_the_recordings_are_like(tmp_path: Path, recordings: Path) -> None:
    reporter = Quiet()
    run(Store(tmp_path / "results"), recordings, reporter=reporter)
    assert "mine: 32 of 32 utterances used" in reporter.notes[0]
