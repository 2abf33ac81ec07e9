"""Learning from kept frames is learning from the recordings, and the network stays as loaded."""

import shutil
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from quiet import Quiet
from running import result_of

from backbones import load
from backbones.base import Backbone
from backbones.hub.checkpoints import digest
from harness.cache.cached_inputs import CachedInputs
from harness.cache.disk_space import size_bytes
from harness.cache.extraction import ExtractionPass, extract
from harness.cache.frame_store import FrameStore
from harness.config.matrix import expand
from harness.config.suite_loading import load_suite
from harness.data.prepared_corpus import PreparedCorpus, labelled, prepare_corpus
from harness.errors import UserError
from harness.model.building import build_model
from harness.results.store import ResultsStore
from harness.runs.backbone_frames import BackboneFrames, settings_digest
from harness.runs.planning import make_plan
from harness.runs.run_summary import RunSummary
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.suite_run import run_plan
from harness.runs.trial_execution import Outcome, run_trials
from harness.runs.work_units import work_units
from harness.specs import CorpusSpec, Trial
from harness.training.devices import make_accelerator

QUICK = ("training.epochs=2", "cost=null")
MATRIX = "matrix.finetune_layers=[0, 1]"
ONE = ("backbones=[tiny-emotion2vec]", "matrix.finetune_layers=[0]")
SUMMED = "head.layers=weighted_sum"
MEAN = "head.pooling=mean"
STATISTICS = "head.pooling=statistics"


@pytest.fixture(scope="module")
def prepared() -> PreparedCorpus:
    return prepare_corpus(CorpusSpec(name="synthetic"), 96, Quiet())


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of each test's own."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    return tmp_path / "frames"


def trials(*changes: str) -> Sequence[Trial]:
    return expand(load_suite("smoke", [*QUICK, *changes]), lambda spec: (1,), 96)


def with_frames(
    prepared: PreparedCorpus, chosen: Sequence[Trial], **options: Any
) -> list[tuple[BackboneFrames, Trial]]:
    """Each trial with the backbone that it shares with others, frames ready."""
    found = []
    for unit in work_units("smoke", chosen, RuntimeOptions("cpu", offline=True, **options)):
        frames = BackboneFrames(prepared, unit.options)
        deque(frames.compute(unit.trials), maxlen=0)
        found += [(frames, trial) for trial in unit.trials]
    return found


def run(prepared: PreparedCorpus, *changes: str, **options: Any) -> list[Outcome]:
    chosen = with_frames(prepared, trials(*changes), **options)
    return [alone(frames, trial) for frames, trial in chosen]


def alone(frames: BackboneFrames, trial: Trial) -> Outcome:
    (outcome,) = result_of(run_trials([trial], frames, suite="smoke"))
    return outcome


def probabilities(outcome: Outcome) -> np.ndarray:
    assert outcome.predictions is not None, outcome.record.error
    columns = outcome.predictions.filter(like="p_")
    return columns.to_numpy()


def frames_from(outcome: Outcome) -> str:
    assert outcome.record.fit is not None, outcome.record.error
    return outcome.record.fit.frames_from


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [(MATRIX,), ("matrix.finetune_layers=[0]", SUMMED), ("matrix.finetune_layers=[0]", MEAN),
     ("matrix.finetune_layers=[0]", STATISTICS), ("matrix.finetune_layers=[0]", SUMMED, MEAN)],
    ids=lambda changes: " ".join(changes),
)  # fmt: skip
def test_learning_agrees_with_the_store_on_and_off(
    changes: tuple[str, ...], prepared: PreparedCorpus
) -> None:
    pairs = zip(run(prepared, *changes), run(prepared, *changes, frames="off"), strict=True)
    for stored, computed in pairs:
        assert (frames_from(stored), frames_from(computed)) == ("stored", "computed")
        assert stored.record.trial_id == computed.record.trial_id
        # the centred logarithms of probabilities are the centred logits
        ours, theirs = np.log(probabilities(stored)), np.log(probabilities(computed))
        ours, theirs = (x - x.mean(1, keepdims=True) for x in (ours, theirs))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)
        assert (ours.argmax(1) == theirs.argmax(1)).all()
        assert stored.record.digests == computed.record.digests


@pytest.mark.parametrize("crop_s", [0.5, 1.0])
def test_recordings_that_are_cut_agree_too(crop_s: float, prepared: PreparedCorpus) -> None:
    changes = (*ONE, f"training.crop_s={crop_s}")
    (stored,), (computed,) = run(prepared, *changes), run(prepared, *changes, frames="off")
    np.testing.assert_allclose(probabilities(stored), probabilities(computed), rtol=0, atol=1e-4)


@pytest.mark.parametrize("frames", ["bf16", "fp16"])
def test_compact_frames_predict_much_the_same(
    frames: str, prepared: PreparedCorpus, cache: Path
) -> None:
    (exact,) = run(prepared, *ONE)
    (compact,) = run(prepared, *ONE, frames=frames)
    difference = np.abs(probabilities(exact) - probabilities(compact))
    assert difference.max() > 0
    assert difference.mean() < 0.02
    full, half = sorted(path.stat().st_size for path in whole_frames(cache))[::-1]
    assert full == 2 * half


@pytest.mark.parametrize(
    ("changes", "options", "expected"),
    [
        ((), {}, "stored"),
        ((), {"frames": "bf16"}, "stored"),
        ((), {"frames": "off"}, "computed"),
        (("training.frozen_mode=train",), {}, "computed"),
    ],
)
def test_a_record_says_where_its_frames_came_from(
    changes: tuple[str, ...],
    options: dict[str, Any],
    expected: str,
    prepared: PreparedCorpus,
    cache: Path,
) -> None:
    (outcome,) = run(prepared, *ONE, "training.epochs=1", *changes, **options)
    assert frames_from(outcome) == expected
    assert any(cache.rglob("frames.bin")) == (expected == "stored")


@pytest.mark.parametrize("changes", [(), ("matrix.learning_rate.head=[1.0e+30]",)])
def test_the_backbone_is_what_was_loaded_after_a_trial_however_it_ended(
    changes: tuple[str, ...], prepared: PreparedCorpus
) -> None:
    chosen = trials("backbones=[tiny-wavlm]", "matrix.finetune_layers=[2]", *changes)
    ((frames, trial),) = with_frames(prepared, chosen)
    outcome = alone(frames, trial)
    assert outcome.record.status == ("failed" if changes else "ok")
    backbone = frames.backbone(trial)
    assert digest(backbone) == backbone.weights.digest
    assert not any(parameter.requires_grad for parameter in backbone.parameters())
    assert not any(part.training for part in backbone.modules())
    assert all(parameter.grad is None for parameter in backbone.parameters())


def test_a_trial_learns_the_same_after_others_as_alone(prepared: PreparedCorpus) -> None:
    first, *others = trials("backbones=[tiny-wavlm]", "matrix.finetune_layers=[1, 2, all]")
    (*_, after), (only,) = (
        [alone(frames, trial) for frames, trial in with_frames(prepared, chosen)]
        for chosen in ([*others, first], [first])
    )
    np.testing.assert_array_equal(probabilities(after), probabilities(only))


def test_a_trial_that_fails_leaves_those_beside_it_alone_and_secrets_out(
    prepared: PreparedCorpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_TOKEN", "became")
    chosen = trials(*ONE, "matrix.seed=[1, 2]", "matrix.learning_rate.head=[1.0e-3, 1.0e+30]")
    frames = BackboneFrames(prepared, RuntimeOptions("cpu", offline=True))
    deque(frames.compute(chosen), maxlen=0)
    outcomes = result_of(run_trials(chosen, frames, suite="smoke"))
    assert [outcome.record.trial_id for outcome in outcomes] == [t.trial_id for t in chosen]
    for outcome in outcomes:
        record = outcome.record
        if record.trial.training.learning_rate.head > 1:
            assert (record.status, record.fit) == ("failed", None)
            assert "the loss ***" in (record.error or "")
            continue
        expected = alone(frames, record.trial)
        np.testing.assert_allclose(probabilities(outcome), probabilities(expected), atol=1e-4)
        assert record.fit is not None
        assert expected.record.fit is not None
        assert (record.fit.side_by_side, expected.record.fit.side_by_side) == (4, 1)


def test_dropout_in_frozen_layers_lasts_as_long_as_its_trial(prepared: PreparedCorpus) -> None:
    frames = BackboneFrames(prepared, RuntimeOptions("cpu", offline=True))
    for mode in ("train", "eval"):
        (trial,) = trials(*ONE, f"training.frozen_mode={mode}")
        with frames.lent(trial) as backbone:
            drops = any(part.training for part in backbone.train().layers.modules())
        assert drops == (mode == "train")


def is_mapped(tensor: torch.Tensor) -> bool:
    """Whether it lies in a mapped file of the store."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        if line.endswith("frames.bin"):
            start, end = (int(address, 16) for address in line.split()[0].split("-"))
            if start <= tensor.data_ptr() < end:
                return True
    return False


def frames_read(own: BackboneFrames, trial: Trial) -> list[torch.Tensor]:
    """Frames as a trial reads them."""
    accelerator = make_accelerator("cpu", "float32")
    everything = labelled(own.prepared, tuple(own.prepared.corpus.by_id()))
    with own.lent(trial) as backbone:
        model = build_model(backbone, trial.head, 4, trial.finetune_layers, seed=1)
        inputs = own.inputs(trial, model, everything, accelerator)
    assert isinstance(inputs, CachedInputs)
    return [frames for view in inputs.views for frames in view.frames.values()]


def test_frames_are_held_in_memory_as_far_as_is_allowed(
    prepared: PreparedCorpus, cache: Path
) -> None:
    chosen = trials("backbones=[tiny-wavlm]", MATRIX)
    with_frames(prepared, chosen)
    (one_bytes, _) = (path.stat().st_size for path in whole_frames(cache))
    for room, held in ((0.0, 0), (0.9, 0), (1.1, 2)):  # a trial's own, and no earlier ones
        tables = [
            frames_read(own, trial)
            for own, trial in with_frames(prepared, chosen, memory_gb=room * one_bytes / 1e9)
        ]
        mapped = [[is_mapped(frames) for frames in table] for table in tables]
        assert all(len(set(table)) == 1 for table in mapped)
        assert sum(not table[0] for table in mapped) == held


def test_frames_are_not_computed_for_what_is_never_asked(
    prepared: PreparedCorpus, cache: Path
) -> None:
    run(prepared, *ONE, MEAN, "training.epochs=1")
    (path,) = cache.rglob("frames.bin")
    assert path.stat().st_size == 96 * 2 * 64 * 4  # two vectors an utterance


def test_later_trials_read_what_earlier_ones_had_computed(
    prepared: PreparedCorpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_frames(prepared, trials(*ONE))
    monkeypatch.setattr("harness.runs.backbone_frames.extract", broken)
    others = ("matrix.seed=[1, 2]", "matrix.loss=[dr]", "training.batch_seconds=9")
    for outcome in run(prepared, *ONE, *others, "training.epochs=1"):
        assert frames_from(outcome) == "stored"


def whole_frames(cache: Path) -> list[Path]:
    """The files of frames, and not those of the summaries that probes start from."""
    return [path for path in cache.rglob("frames.bin") if "-frames-" in path.parents[1].name]


def broken(*arguments: object) -> None:
    raise RuntimeError("no frames today")


def run_smoke(folder: Path, options: RuntimeOptions) -> tuple[Quiet, RunSummary]:
    reporter, suite = Quiet(), load_suite("smoke", [*QUICK, *ONE, "training.epochs=1"])
    store = ResultsStore(folder / "results")
    return reporter, run_plan(make_plan(suite, limit_utterances=96), store, reporter, options)


def test_where_frames_cannot_be_computed_trials_run_from_the_recordings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.runs.backbone_frames.extract", broken)
    reporter, summary = run_smoke(tmp_path, RuntimeOptions("cpu", offline=True))
    (record,) = summary.records
    assert record.fit is not None, record.error
    assert record.fit.frames_from == "computed"
    assert any("not kept: RuntimeError: no frames today" in note for note in reporter.notes)


def test_frames_that_may_take_no_room_end_the_run_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="allow more with --cache-gb"):
        run_smoke(tmp_path, RuntimeOptions("cpu", offline=True, cache_gb=1e-6))
    assert ResultsStore(tmp_path / "results").read_trials() == []


def test_an_interrupted_pass_goes_on_where_there_is_room_for_it_once(
    prepared: PreparedCorpus, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(
        todo: ExtractionPass,
        store: FrameStore,
        backbone: Backbone,
        accelerator: Accelerator,
    ) -> Iterator[int]:
        for done in extract(todo, store, backbone, accelerator):
            if done == len(todo.plan()) - 1:
                raise KeyboardInterrupt
            yield done

    with_frames(prepared, trials(*ONE))
    room_gb = 1.05 * size_bytes(cache) / 1e9
    shutil.rmtree(cache)
    monkeypatch.setattr("harness.cache.extraction.BATCH_SECONDS", 16.0)
    with monkeypatch.context() as patch:
        patch.setattr("harness.runs.backbone_frames.extract", interrupted)
        with pytest.raises(KeyboardInterrupt):
            with_frames(prepared, trials(*ONE), cache_gb=room_gb)
    assert size_bytes(cache) > room_gb * 1e9 / 2
    with_frames(prepared, trials(*ONE), cache_gb=room_gb)
    sets = {path.parents[1].name: 0 for path in cache.rglob("index.json")}
    assert len(sets) == len(list(cache.rglob("index.json"))) == 2  # frames, and their summaries


def test_settings_beside_the_weights_count_and_so_does_the_architecture(tmp_path: Path) -> None:
    backbone = load("tiny-wavlm")
    plain = settings_digest(backbone)
    assert settings_digest(load("tiny-wavlm")) == plain
    assert settings_digest(load("tiny-emotion2vec")) != plain
    backbone.weights = replace(backbone.weights, source=str(tmp_path))
    told = set()
    for wanted in ("true", "false"):
        text = f'{{"do_normalize": {wanted}}}'
        (tmp_path / "preprocessor_config.json").write_text(text)
        told.add(settings_digest(backbone))
    assert len(told | {plain}) == 3
