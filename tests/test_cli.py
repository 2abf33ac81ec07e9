"""The command line as a user meets it: what it prints, leaves behind and exits with."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from commandline import exit_code
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from harness.results.store import MODEL, ResultsStore

ROOT = Path(__file__).parents[1]

QUICK = (
    "--set", "training.epochs=1", "--set", "matrix.finetune_layers=[0, 1]",
    "--set", "must_beat_majority=false", "--set", "cost=null",
)  # fmt: skip


def quick_run(cli: Any, results: Path, *more: object) -> Any:
    return cli("run", "smoke", *QUICK, "--results", results, "--device", "cpu", *more)


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of one backbone's trials, with all models."""
    results = tmp_path_factory.mktemp("finished")
    more = ("--only", "tiny-wavlm", "--set", "keep_models=all")
    with pytest.MonkeyPatch.context() as patch:
        where = ("--results", results, "--device", "cpu")
        assert exit_code(patch, "run", "smoke", *QUICK, *where, *more) == 0
    return results


@pytest.fixture
def finished(finished_once: Path, tmp_path: Path) -> Path:
    """A copy of them for one test."""
    return Path(shutil.copytree(finished_once, tmp_path / "finished"))


def test_help_answers_without_loading_torch() -> None:
    code = (
        "import sys, harness.__main__ as m\n"
        "sys.argv = ['harness', '--help']\n"
        "try:\n    m.main()\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "assert 'torch' not in sys.modules"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for command in ("run", "plan", "report", "evaluate", "prefetch", "list"):
        assert command in result.stdout


def test_plan_lists_every_trial_with_a_stable_id_and_loads_no_torch(tmp_path: Path) -> None:
    command = [
        sys.executable, "-X", "importtime", "-m", "harness", "plan", "ser_backbones", "--list"
    ]  # fmt: skip
    nowhere = os.environ | {"HARNESS_CORPORA": str(tmp_path)}
    result = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, env=nowhere
    )
    lines = result.stdout.splitlines()
    assert lines[-1] == "288 trials, 16 costs"
    trials = [line for line in lines[:-1] if not line.startswith("note: ")]
    assert len({line.split()[0] for line in trials}) == len(trials) == 288
    assert "note: corpus 'ravdess' is not on this machine: not checked" in lines
    assert "| torch\n" not in result.stderr


def test_trials_that_differ_in_an_axis_read_differently_wherever_they_are_named(
    cli: Any, tmp_path: Path
) -> None:
    varied = ("--set", "matrix.finetune_layers=[0]", "--set", "matrix.head_dim=[8, 16]",
              "--only", "tiny-wavlm")  # fmt: skip
    planned = [
        line.partition("  ")[2] for line in cli("plan", "smoke", "--list", *varied).out.splitlines()
    ]
    name = "synthetic fold 1 · tiny-wavlm · 0 layers · weighted_cross_entropy · seed 1 · head_dim"
    assert planned[:2] == [f"{name} 8", f"{name} 16"]
    answer = quick_run(cli, tmp_path, *varied, "--set", "training.time_limit_s=0.001")
    for place, width in enumerate((8, 16), start=1):
        assert f"[{place}/2] {name} {width}\n" in answer.out
        assert f": {name} {width}: timeout: " in answer.err
        assert f": {name} {width}: timeout: " in cli("report", tmp_path / "smoke").out


def test_plan_sums_a_suite_up(cli: Any) -> None:
    lines = cli("plan", "smoke", "--only", "tiny-wavlm").out.splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "corpora 1 synthetic",
        "folds 1 1",
        "backbones 1 tiny-wavlm",
        "finetune_layers 3 0, 1, 2",
        "losses 1 weighted_cross_entropy",
        "seeds 1 1",
        "3 trials, 3 costs",
    ]


def test_plan_lists_the_costs_of_a_suite_that_trains_nothing(cli: Any) -> None:
    lines = cli("plan", "cost", "--list").out.splitlines()
    assert lines[0] == "cost of tiny-wavlm · 0 layers"
    assert lines[-1] == "0 trials, 8 costs"
    assert cli("plan", "cost").out.startswith("backbones        4  tiny-wavlm")


def test_a_suite_without_corpora_measures_prints_and_keeps_its_costs(
    cli: Any, tmp_path: Path
) -> None:
    changes = ("--set", "backbones=[{name: tiny-emotion2vec, init: random}]",
               "--set", "matrix.finetune_layers=[0]",
               "--set", "cost={infer_steps: 5, durations_s: [0.5], batch_sizes: [1]}")  # fmt: skip
    first = cli("run", "cost", *changes, "--results", tmp_path, "--device", "cpu")
    assert first.code == 0, first.err
    assert "tiny-emotion2vec (random)" in first.out
    assert first.out.splitlines()[-1] == "1 of 1 costs measured"
    files = list((tmp_path / "cost" / "benchmarks").glob("*/*_cost.json"))
    assert [path.name for path in files] == ["0001_cost.json"]
    again = cli("run", "cost", *changes, "--results", tmp_path, "--device", "cpu")
    assert "pytest-benchmark" not in again.out
    assert cli("report", tmp_path / "cost").out.startswith("Costs\n")
    store = ResultsStore(tmp_path / "cost")
    (record,) = store.read_costs()
    assert (record.rounds, len(record.points[0].samples_s)) == (2, 10)
    # as a run leaves it that was interrupted after its first round
    store.write_cost(record.model_copy(update={"rounds": 1}))
    goes_on = cli("run", "cost", *changes, "--results", tmp_path, "--device", "cpu")
    assert "round 2 of 2" in goes_on.out + goes_on.err
    (record,) = store.read_costs()
    assert (record.rounds, len(record.points[0].samples_s)) == (2, 15)


def test_plan_says_what_a_suite_will_take_before_any_weights_are_there(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HARNESS_MODELS", "HF_HOME", "MODELSCOPE_CACHE"):
        monkeypatch.setenv(variable, str(tmp_path))
    answer = cli("plan", "smoke", "--estimate", "--device", "cpu",
                 "--set", "backbones=[whisper-tiny, tiny-wavlm]")  # fmt: skip
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert "6 trials, 6 costs" in lines
    rows = [line.split()[:3] for line in lines[-4:-1]]
    assert rows == [["synthetic", "whisper-tiny", "3"], ["synthetic", "tiny-wavlm", "3"],
                    ["all", "6", "0.09"]]  # fmt: skip


def test_an_estimate_of_a_corpus_that_is_not_there_says_so(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CORPORA", str(tmp_path))
    corpus = "corpora=[{name: emodb, kind: emodb}]"
    answer = cli("plan", "smoke", "--estimate", "--set", corpus)
    assert answer.code == 2
    assert "prefetch --corpus emodb" in answer.err


def test_a_run_leaves_records_predictions_a_table_and_one_model_a_backbone(
    cli: Any, tmp_path: Path
) -> None:
    answer = quick_run(cli, tmp_path)
    assert answer.code == 0, answer.err
    store = ResultsStore(tmp_path / "smoke")
    records = store.read_trials()
    assert [record.status for record in records] == ["ok"] * 4
    assert len(list(store.trials.glob(f"*/{MODEL}"))) == 2
    assert len(pd.read_csv(store.folder / "trials.csv")) == 4
    for suffix in ("md", "csv", "tex"):
        assert (store.folder / "report" / f"comparison.{suffix}").stat().st_size > 0
    assert "4 of 4 trials ok" in answer.out
    assert "RANDOM" in answer.out


def test_the_scores_in_a_record_are_those_of_its_saved_predictions(finished: Path) -> None:
    store = ResultsStore(finished / "smoke")
    for record in store.read_trials():
        frame = store.read_predictions(record).query("split == 'test'")
        columns = frame.filter(like="p_")
        assert columns.sum(axis=1).to_numpy() == pytest.approx(1.0)
        predicted = columns.idxmax(axis=1).str.removeprefix("p_")
        test = record.metrics["test"]
        assert test.utterances == len(frame)
        assert test.accuracy == pytest.approx(accuracy_score(frame["label"], predicted))
        assert test.uar == pytest.approx(balanced_accuracy_score(frame["label"], predicted))
        macro_f1 = f1_score(frame["label"], predicted, average="macro", zero_division=0)
        assert test.macro_f1 == pytest.approx(macro_f1)


def test_a_second_run_keeps_what_is_finished(cli: Any, tmp_path: Path) -> None:
    first = quick_run(cli, tmp_path, "--only", "tiny-emotion2vec")
    before = {r.trial_id: r.started_at for r in ResultsStore(tmp_path / "smoke").read_trials()}
    second = quick_run(cli, tmp_path, "--only", "tiny-emotion2vec")
    after = {r.trial_id: r.started_at for r in ResultsStore(tmp_path / "smoke").read_trials()}
    assert "(0 of them from before)" in first.out
    assert "(2 of them from before)" in second.out
    assert before == after


def test_a_failed_trial_exits_with_1_and_is_listed_under_the_table(
    cli: Any, finished: Path
) -> None:
    answer = quick_run(
        cli, finished, "--only", "tiny-emotion2vec", "--set", "training.time_limit_s=0.001"
    )
    assert answer.code == 1
    statuses = sorted(record.status for record in ResultsStore(finished / "smoke").read_trials())
    assert statuses == ["ok", "ok", "timeout", "timeout"]
    assert "training.time_limit_s = 0.001" in answer.out


def test_limited_data_is_marked(cli: Any, tmp_path: Path) -> None:
    answer = quick_run(cli, tmp_path, "--only", "tiny-emotion2vec", "--limit-utterances", 64)
    assert answer.code == 0, answer.err
    assert all(record.limited_data for record in ResultsStore(tmp_path / "smoke").read_trials())
    assert "LIMITED" in answer.out


def test_a_report_says_what_an_unfinished_run_still_lacks(cli: Any, finished: Path) -> None:
    store = ResultsStore(finished / "smoke")
    lost = next(r for r in store.read_trials() if r.trial.finetune_layers == 1)
    (store.trial(lost.trial_id) / "record.json").unlink()
    assert "INCOMPLETE 0 of 1" in cli("report", store.folder).out


def test_a_report_shows_what_is_asked_for_and_its_files_hold_everything(
    cli: Any, tmp_path: Path
) -> None:
    quick_run(cli, tmp_path)
    folder = tmp_path / "smoke"
    plain = cli("report", folder)
    files = {path: path.read_bytes() for path in (folder / "report").iterdir()}
    asked = cli("report", folder, "--columns", "scores,depth_share", "--sort", "-uar", "--top", 1,
                "--group-by", "backbone", "--per-class")  # fmt: skip
    assert (plain.code, asked.code) == (0, 0), asked.err
    assert "Depth" not in plain.out.partition("test majority")[0]
    for words in ("Depth", "Macro-F1", "1 of 4 rows: --top 1.", "F1 of each class", "Backbone: "):
        assert words in asked.out
    assert {path: path.read_bytes() for path in (folder / "report").iterdir()} == files
    assert {f"per_class.{kind}" for kind in ("md", "csv", "tex")} <= {path.name for path in files}


def test_a_column_that_is_not_there_is_named_before_anything_is_written(
    cli: Any, finished: Path
) -> None:
    written = finished / "smoke" / "report" / "comparison.md"
    written.unlink()
    answer = cli("report", finished / "smoke", "--sort", "uarr")
    assert answer.code == 2
    assert "--sort: there is no column 'uarr': did you mean 'uar'" in answer.err
    assert not written.exists()


def test_rows_are_ranked_and_compared_in_a_sentence(cli: Any, finished: Path) -> None:
    folder = finished / "smoke"
    ranked = cli("rank", folder)
    assert ranked.code == 0, ranked.err
    assert "synthetic: dev chooses tiny-wavlm · " in ranked.out
    assert "?: one seed. Training again changes scores too" in ranked.out
    said = cli("report", folder, "--compare", "tiny-wavlm/0", "tiny-wavlm/1")
    assert said.out.startswith("tiny-wavlm · ")
    assert said.out.count("\n") == 1
    assert "run two seeds or more" in said.out
    unknown = cli("report", folder, "--compare", "tiny-wavlm/0", "wavlm-large")
    assert (unknown.code, "no row is 'wavlm-large' on synthetic" in unknown.err) == (2, True)
    over = cli("rank", folder, "--over-corpora")
    assert over.code == 2
    assert "5 corpora or more; here are 1: synthetic" in over.err


def test_damaged_predictions_are_named(cli: Any, finished: Path) -> None:
    path = next(ResultsStore(finished / "smoke").trials.glob("*/predictions.parquet"))
    path.write_bytes(b"damaged")
    answer = cli("report", finished / "smoke")
    assert answer.code == 2
    assert str(path) in answer.err


@pytest.mark.parametrize("device", ["gpu", "cuda1", "mps", "cpu:0"])
def test_a_device_that_is_not_one_is_refused(cli: Any, tmp_path: Path, device: str) -> None:
    answer = cli("run", "smoke", "--results", tmp_path, "--device", device)
    assert answer.code == 2
    assert "allowed: auto, cpu, cuda, cuda:N" in answer.err


def test_kept_models_score_again_as_they_did(cli: Any, finished: Path) -> None:
    store = ResultsStore(finished / "smoke")
    answer = cli("evaluate", store.folder, "--device", "cpu")
    assert answer.code == 0, answer.err
    for record in store.read_trials():
        lines = [line.split() for line in answer.out.splitlines()]
        start = ["tiny-wavlm", str(record.trial.finetune_layers)]
        row = next(cells for cells in lines if cells[:2] == start)
        assert row[2] == f"{record.metrics['test'].uar * 100:.1f}"
    assert "RANDOM: the backbone has random weights" in answer.out
    assert "tiny-wavlm" in answer.out.partition("angry")[0]
    assert "happy" in answer.out.partition("angry")[2]
    assert f"{store.folder}/evaluations/own_splits/report/comparison.md" in answer.out


def test_a_damaged_model_exits_with_1_after_the_others(cli: Any, finished: Path) -> None:
    store = ResultsStore(finished / "smoke")
    trial_id = store.read_trials()[0].trial_id
    (store.trial(trial_id) / "model.safetensors").write_bytes(b"half")
    answer = cli("evaluate", store.folder, "--device", "cpu")
    assert answer.code == 1
    assert f"failed: {trial_id}" in answer.err
    assert "kept models, scored again" in answer.out


def test_a_kept_model_is_not_scored_on_the_corpus_it_was_trained_on(
    cli: Any, finished: Path
) -> None:
    answer = cli("evaluate", finished / "smoke", "--corpus", "synthetic", "--device", "cpu")
    assert answer.code == 2
    assert "was trained on synthetic" in answer.err


def test_must_beat_majority_fails_a_run_that_learned_nothing(cli: Any, tmp_path: Path) -> None:
    answer = quick_run(
        cli, tmp_path, "--only", "tiny-wavlm", "--set", "must_beat_majority=true",
        "--set", "training.learning_rate.head=1e-12", "--set", "matrix.finetune_layers=[0]",
    )  # fmt: skip
    assert answer.code == 1
    assert "majority" in answer.err


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_goes_on_where_it_stopped(how: signal.Signals, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "harness", "run", "smoke", "--results", str(tmp_path),
        "--device", "cpu", "--set", "cost=null", "--only", "tiny-emotion2vec",
        "--set", "training.epochs=3", "--set", "must_beat_majority=false",
    ]  # fmt: skip
    store = ResultsStore(tmp_path / "smoke")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        deadline = time.monotonic() + 120
        while not list(store.trials.glob("*/record.json")) and time.monotonic() < deadline:
            time.sleep(0.02)
        run.send_signal(how)
        _, err = run.communicate(timeout=60)
    finished = len(store.read_trials())
    assert run.returncode == 130, err.decode()
    assert b"the same command goes on from there" in err
    assert b"Traceback" not in err
    assert finished >= 1
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"3 of 3 trials ok ({finished} of them from before)" in again.stdout


@pytest.mark.parametrize("what", ["backbones", "corpora", "losses", "poolings", "suites"])
def test_list_shows_what_there_is(cli: Any, what: str) -> None:
    known = {
        "backbones": "emotion2vec_plus_base",
        "corpora": "ravdess",
        "losses": "dr",
        "poolings": "attentive_statistics",
        "suites": "ser_backbones",
    }
    answer = cli("list", what)
    assert answer.code == 0
    assert known[what] in answer.out


def test_prefetch_says_that_tiny_backbones_and_synthetic_speech_need_no_files(cli: Any) -> None:
    answer = cli("prefetch", "smoke")
    assert answer.code == 0, answer.err
    for name in ("tiny-wavlm", "tiny-emotion2vec", "synthetic"):
        assert f"{name}: needs no files" in answer.out


class TestBadInput:
    """One clear message that says what to do, and exit code 2."""

    def test_an_unknown_command_line_option(self, cli: Any) -> None:
        assert cli("run", "smoke", "--onyl", "x").code == 2

    def test_a_suite_that_is_not_there(self, cli: Any) -> None:
        answer = cli("run", "suites/smok.yaml")
        assert answer.code == 2
        assert "smok" in answer.err

    def test_an_unknown_backbone_names_the_nearest(self, cli: Any) -> None:
        answer = cli("plan", "smoke", "--set", "backbones=[tiny-wavml]")
        assert answer.code == 2
        assert "did you mean 'tiny-wavlm'" in answer.err

    def test_missing_weights_name_the_places_tried_and_the_command(
        self, cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HARNESS_MODELS", str(tmp_path / "models"))
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "ms"))
        started = time.monotonic()
        answer = cli(
            "run", "smoke", "--offline", "--results", tmp_path,
            "--set", "backbones=[wavlm-base, emotion2vec_base]",
        )  # fmt: skip
        assert answer.code == 2
        assert time.monotonic() - started < 15
        for name in ("wavlm-base", "emotion2vec_base"):
            assert f"prefetch --backbone {name}" in answer.err
            assert str(tmp_path / "models" / name) in answer.err

    def test_a_missing_corpus_names_the_places_tried_and_the_command(
        self, cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HARNESS_CORPORA", str(tmp_path / "corpora"))
        answer = cli("run", "smoke", "--results", tmp_path, "--set", "corpora=[ravdess]")
        assert answer.code == 2
        assert "prefetch --corpus ravdess" in answer.err
        assert str(tmp_path / "corpora" / "ravdess") in answer.err

    def test_half_a_corpus_says_how_much_is_there(
        self, cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "ravdess"
        folder.mkdir()
        (folder / "03-01-01-01-01-01-01.wav").write_bytes(b"")
        monkeypatch.setenv("HARNESS_CORPORA", str(tmp_path))
        answer = cli("run", "smoke", "--results", tmp_path, "--set", "corpora=[ravdess]")
        assert answer.code == 2
        assert "1 of 1440" in answer.err

    def test_a_file_that_is_not_audio_is_named(self, cli: Any, tmp_path: Path) -> None:
        (tmp_path / "a.wav").write_text("not audio")
        (tmp_path / "b.wav").write_text("nor this")
        (tmp_path / "list.csv").write_text("file,label,speaker\na.wav,sad,one\nb.wav,angry,two\n")
        corpus = f"corpora=[{{name: mine, kind: manifest, root: {tmp_path}, manifest: list.csv}}]"
        answer = cli("run", "smoke", "--results", tmp_path / "results", "--set", corpus)
        assert answer.code == 2
        assert "a.wav" in answer.err
        assert "undecodable: exclude" in answer.err
        assert not list((tmp_path / "results").glob("smoke/trials/*"))

    def test_results_that_cannot_be_written(self, cli: Any, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        answer = quick_run(cli, tmp_path / "file")
        assert answer.code == 2
        assert "--results" in answer.err

    def test_a_gpu_that_is_not_there(self, cli: Any, tmp_path: Path) -> None:
        import torch

        if torch.cuda.is_available():
            pytest.skip("this machine has a GPU")
        answer = cli("run", "smoke", "--results", tmp_path, "--device", "cuda")
        assert answer.code == 2
        assert "torch sees no GPU" in answer.err

    def test_a_report_without_results(self, cli: Any, tmp_path: Path) -> None:
        answer = cli("report", tmp_path)
        assert answer.code == 2
        assert "no results" in answer.err


@pytest.mark.slow
def test_real_speech_and_a_pretrained_encoder_go_through_the_whole_path(
    cli: Any,
    ravdess_root: Path,
    whisper_base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HARNESS_CORPORA", str(ravdess_root.parent))
    monkeypatch.setenv("HARNESS_MODELS", str(whisper_base.parent))
    answer = cli(
        "run", "ravdess_whisper", "--results", tmp_path, "--device", "cpu", "--offline",
        "--limit-utterances", 48, "--set", "protocol.only_folds=[1]", "--set", "matrix.seed=[1]",
        "--set", "training.epochs=1", "--set", "cost=null",
        "--only", "whisper-base/[02]/*",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert "RANDOM" not in answer.out
    records = ResultsStore(tmp_path / "ravdess_whisper").read_trials()
    frozen, released = (record.trainable_parameters or 0 for record in records)
    assert abs(released - frozen) == 2 * 3_151_872 + 1024  # two layers and the final norm
    assert not any(record.random_weights for record in records)


def test_what_only_left_out_is_incomplete_in_the_report(cli: Any, finished: Path) -> None:
    assert cli("report", finished / "smoke").code == 0
    table = pd.read_csv(finished / "smoke" / "report" / "comparison.csv").set_index("backbone")
    assert table.loc["tiny-emotion2vec", "flags"].str.contains("INCOMPLETE 0 of").all()
    assert not table.loc["tiny-wavlm", "flags"].str.contains("INCOMPLETE").any()
