"""Learning from kept frames is learning from the recordings, and the network stays as loaded."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from quiet import Quiet

from backbones import load
from backbones.base import Backbone
from backbones.hub.checkpoints import digest
from harness.bench import Bench, settings_digest
from harness.engines.local import RunSummary, groups, run_suite
from harness.errors import UserError
from harness.frames.extract import Pass, extract
from harness.frames.inputs import FromStore
from harness.frames.room import size_bytes
from harness.frames.store import FrameStore
from harness.ground import Ground, labelled, prepare_ground
from harness.heads.build import build_model
from harness.machine import Machine
from harness.records.store import Store
from harness.suite.load import load_suite
from harness.suite.matrix import expand
from harness.suite.schema import CorpusSpec, Trial
from harness.training.device import make_accelerator
from harness.trial import Outcome, run_trials

QUICK = ("training.epochs=2", "cost=null")
MATRIX = "matrix.finetune_layers=[0, 1]"
ONE = ("backbones=[tiny-emotion2vec]", "matrix.finetune_layers=[0]")
SUMMED = "head.layers=weighted_sum"
MEAN = "head.pooling=mean"
STATISTICS = "head.pooling=statistics"


@pytest.fixture(scope="module")
def ground() -> Ground:
    return prepare_ground(CorpusSpec(name="synthetic"), 96, Quiet())


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of each test's own."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    return tmp_path / "frames"


def trials(*changes: str) -> Sequence[Trial]:
    return expand(load_suite("smoke", [*QUICK, *changes]), lambda spec: (1,), 96)


def benches(ground: Ground, chosen: Sequence[Trial], **machine: Any) -> list[tuple[Bench, Trial]]:
    """Each trial with the bench it shares, frames ready."""
    found = []
    for group in groups(chosen):
        bench = Bench(ground, Machine("cpu", offline=True, **machine))
        bench.fill(group, Quiet())
        found += [(bench, trial) for trial in group]
    return found


def run(ground: Ground, *changes: str, **machine: Any) -> list[Outcome]:
    return [alone(bench, trial) for bench, trial in benches(ground, trials(*changes), **machine)]


def alone(bench: Bench, trial: Trial) -> Outcome:
    (outcome,) = run_trials([trial], bench, suite="smoke")
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
    changes: tuple[str, ...], ground: Ground
) -> None:
    pairs = zip(run(ground, *changes), run(ground, *changes, frames="off"), strict=True)
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
def test_recordings_that_are_cut_agree_too(crop_s: float, ground: Ground) -> None:
    changes = (*ONE, f"training.crop_s={crop_s}")
    (stored,), (computed,) = run(ground, *changes), run(ground, *changes, frames="off")
    np.testing.assert_allclose(probabilities(stored), probabilities(computed), rtol=0, atol=1e-4)


@pytest.mark.parametrize("frames", ["bf16", "fp16"])
def test_compact_frames_predict_much_the_same(frames: str, ground: Ground, cache: Path) -> None:
    (exact,) = run(ground, *ONE)
    (compact,) = run(ground, *ONE, frames=frames)
    difference = np.abs(probabilities(exact) - probabilities(compact))
    assert difference.max() > 0
    assert difference.mean() < 0.02
    full, half = sorted(path.stat().st_size for path in cache.rglob("frames.bin"))[::-1]
    assert full == 2 * half


@pytest.mark.parametrize(
    ("changes", "machine", "expected"),
    [
        ((), {}, "stored"),
        ((), {"frames": "bf16"}, "stored"),
        ((), {"frames": "off"}, "computed"),
        (("training.frozen_mode=train",), {}, "computed"),
    ],
)
def test_a_record_says_where_its_frames_came_from(
    changes: tuple[str, ...], machine: dict[str, Any], expected: str, ground: Ground, cache: Path
) -> None:
    (outcome,) = run(ground, *ONE, "training.epochs=1", *changes, **machine)
    assert frames_from(outcome) == expected
    assert any(cache.rglob("frames.bin")) == (expected == "stored")


@pytest.mark.parametrize("changes", [(), ("matrix.learning_rate.head=[1.0e+30]",)])
def test_the_backbone_is_what_was_loaded_after_a_trial_however_it_ended(
    changes: tuple[str, ...], ground: Ground
) -> None:
    chosen = trials("backbones=[tiny-wavlm]", "matrix.finetune_layers=[2]", *changes)
    ((bench, trial),) = benches(ground, chosen)
    outcome = alone(bench, trial)
    assert outcome.record.status == ("failed" if changes else "ok")
    backbone = bench.backbone(trial)
    assert digest(backbone) == backbone.weights.digest
    assert not any(parameter.requires_grad for parameter in backbone.parameters())
    assert not any(part.training for part in backbone.modules())
    assert all(parameter.grad is None for parameter in backbone.parameters())


def test_a_trial_learns_the_same_after_others_as_alone(ground: Ground) -> None:
    first, *others = trials("backbones=[tiny-wavlm]", "matrix.finetune_layers=[1, 2, all]")
    (*_, after), (only,) = (
        [alone(bench, trial) for bench, trial in benches(ground, chosen)]
        for chosen in ([*others, first], [first])
    )
    np.testing.assert_array_equal(probabilities(after), probabilities(only))


def test_a_trial_that_fails_leaves_those_beside_it_alone_and_secrets_out(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_TOKEN", "became")
    chosen = trials(*ONE, "matrix.seed=[1, 2]", "matrix.learning_rate.head=[1.0e-3, 1.0e+30]")
    bench = Bench(ground, Machine("cpu", offline=True))
    bench.fill(chosen, Quiet())
    outcomes = run_trials(chosen, bench, suite="smoke")
    assert [outcome.record.trial_id for outcome in outcomes] == [t.trial_id for t in chosen]
    for outcome in outcomes:
        record = outcome.record
        if record.trial.training.learning_rate.head > 1:
            assert (record.status, record.fit) == ("failed", None)
            assert "the loss ***" in (record.error or "")
            continue
        expected = alone(bench, record.trial)
        np.testing.assert_allclose(probabilities(outcome), probabilities(expected), atol=1e-4)
        assert record.fit is not None
        assert expected.record.fit is not None
        assert (record.fit.side_by_side, expected.record.fit.side_by_side) == (4, 1)


def test_dropout_in_frozen_layers_lasts_as_long_as_its_trial(ground: Ground) -> None:
    bench = Bench(ground, Machine("cpu", offline=True))
    for mode in ("train", "eval"):
        (trial,) = trials(*ONE, f"training.frozen_mode={mode}")
        with bench.lent(trial) as backbone:
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


def views_of(bench: Bench, trial: Trial) -> list[torch.Tensor]:
    """Frames as a trial reads them."""
    accelerator = make_accelerator("cpu", "float32")
    everything = labelled(bench.ground, tuple(bench.ground.corpus.by_id()))
    with bench.lent(trial) as backbone:
        model = build_model(backbone, trial.head, 4, trial.finetune_layers, seed=1)
        inputs = bench.inputs(trial, model, everything, accelerator)
    assert isinstance(inputs, FromStore)
    return [frames for view in inputs.views for frames in view.frames.values()]


def test_frames_are_held_in_memory_as_far_as_is_allowed(ground: Ground, cache: Path) -> None:
    chosen = trials("backbones=[tiny-wavlm]", MATRIX)
    benches(ground, chosen)
    (one_bytes, _) = (path.stat().st_size for path in cache.rglob("frames.bin"))
    for room, held in ((0.0, 0), (0.9, 0), (1.1, 2)):  # a trial's own, and no earlier ones
        tables = [
            views_of(bench, trial)
            for bench, trial in benches(ground, chosen, memory_gb=room * one_bytes / 1e9)
        ]
        mapped = [[is_mapped(frames) for frames in table] for table in tables]
        assert all(len(set(table)) == 1 for table in mapped)
        assert sum(not table[0] for table in mapped) == held


def test_frames_are_not_computed_for_what_is_never_asked(ground: Ground, cache: Path) -> None:
    run(ground, *ONE, MEAN, "training.epochs=1")
    (path,) = cache.rglob("frames.bin")
    assert path.stat().st_size == 96 * 64 * 4  # one vector an utterance


def test_later_trials_read_what_earlier_ones_had_computed(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    benches(ground, trials(*ONE))
    monkeypatch.setattr("harness.bench.extract", broken)
    others = ("matrix.seed=[1, 2]", "matrix.loss=[dr]", "training.batch_seconds=9")
    for outcome in run(ground, *ONE, *others, "training.epochs=1"):
        assert frames_from(outcome) == "stored"


def broken(*arguments: object) -> None:
    raise RuntimeError("no frames today")


def run_smoke(folder: Path, machine: Machine) -> tuple[Quiet, RunSummary]:
    reporter, suite = Quiet(), load_suite("smoke", [*QUICK, *ONE, "training.epochs=1"])
    chosen = expand(suite, lambda spec: (1,), 96)
    return reporter, run_suite(suite, chosen, (), Store(folder / "results"), reporter, machine)


def test_where_frames_cannot_be_computed_trials_run_from_the_recordings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.bench.extract", broken)
    reporter, summary = run_smoke(tmp_path, Machine("cpu", offline=True))
    (record,) = summary.records
    assert record.fit is not None, record.error
    assert record.fit.frames_from == "computed"
    assert any("not kept: RuntimeError: no frames today" in note for note in reporter.notes)


def test_frames_that_may_take_no_room_end_the_run_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="allow more with --cache-gb"):
        run_smoke(tmp_path, Machine("cpu", offline=True, cache_gb=1e-6))
    assert Store(tmp_path / "results").read_trials() == []


def test_an_interrupted_pass_goes_on_where_there_is_room_for_it_once(
    ground: Ground, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(
        todo: Pass, store: FrameStore, backbone: Backbone, accelerator: Accelerator, on_batch: Any
    ) -> None:
        def stop(done: int, total: int) -> None:
            if done == total - 1:
                raise KeyboardInterrupt

        extract(todo, store, backbone, accelerator, stop)

    benches(ground, trials(*ONE))
    room_gb = 1.05 * size_bytes(cache) / 1e9
    shutil.rmtree(cache)
    monkeypatch.setattr("harness.frames.extract.BATCH_SECONDS", 16.0)
    with monkeypatch.context() as patch:
        patch.setattr("harness.bench.extract", interrupted)
        with pytest.raises(KeyboardInterrupt):
            benches(ground, trials(*ONE), cache_gb=room_gb)
    assert size_bytes(cache) > room_gb * 1e9 / 2
    benches(ground, trials(*ONE), cache_gb=room_gb)
    assert len(list(cache.rglob("index.json"))) == 1


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
