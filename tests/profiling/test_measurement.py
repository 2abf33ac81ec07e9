"""The cost pass, for real, on the tiny backbones."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import namedtuple
from itertools import product
from pathlib import Path
from statistics import median
from threading import Timer

import pytest
import torch
from made_up import make_cost_trial

from harness.config.matrix import expand
from harness.config.suite_loading import load_suite
from harness.data.batches import load_batch
from harness.errors import SuiteError
from harness.model.ser_model import SERModel
from harness.profiling import interference
from harness.profiling.estimation.work import head_work, work_of
from harness.profiling.measurement import measure_in_subprocess
from harness.profiling.profiled_model import CLASSES, load, recordings
from harness.profiling.timing import MODES, time_all, timed
from harness.results.records import CostRecord
from harness.runs.planning import cost_trials
from harness.specs import CostSpec, CostTrial, HeadSpec
from harness.training.devices import make_accelerator

COST = CostSpec(durations_s=(0.5, 1.0), batch_sizes=(1, 2), infer_steps=3, train_steps=2)


def tiny(finetune_layers: int = 1) -> CostTrial:
    return make_cost_trial("tiny-wavlm", finetune_layers, COST, HeadSpec(head_dim=16))


@pytest.fixture(scope="module")
def record() -> CostRecord:
    found = measure_in_subprocess(tiny(), "smoke", "here", "cpu", offline=True)
    assert found.status == "ok", found.error
    return found


def test_every_duration_and_batch_size_is_measured_with_its_raw_samples(
    record: CostRecord,
) -> None:
    shapes = [(p.mode, p.duration_s, p.batch_size) for p in record.points]
    assert shapes == [
        (mode, duration, size)
        for mode in ("infer", "train", "train_end_to_end")
        for duration in (0.5, 1.0)
        for size in (1, 2)
    ]
    for workload in record.points:
        assert len(workload.samples_s) == (3 if workload.mode == "infer" else 2)
        expected = workload.duration_s * workload.batch_size / median(workload.samples_s)
        assert workload.audio_s_per_s == pytest.approx(expected)


def test_memory_rises_with_training_and_is_not_that_of_a_gpu(record: CostRecord) -> None:
    assert record.random_weights
    assert record.peak_rss_source in ("VmHWM", "getrusage")
    assert record.infer_peak_rss_bytes <= record.peak_rss_bytes
    assert record.peak_gpu_bytes is record.torch_peak_allocated_bytes is None


def test_what_a_cpu_cannot_tell_is_missing_with_the_reason(record: CostRecord) -> None:
    assert record.missing == dict.fromkeys(
        ("peak_gpu_bytes", "gpu_device_peak_bytes", "joules_per_audio_hour"),
        "the work ran on the CPU",
    )
    assert all(workload.joules_per_audio_hour is None for workload in record.points)


def test_flops_are_counted_for_every_workload(record: CostRecord) -> None:
    infer = {p.duration_s: p for p in record.points if (p.mode, p.batch_size) == ("infer", 2)}
    train = {p.duration_s: p for p in record.points if (p.mode, p.batch_size) == ("train", 1)}
    for duration, workload in infer.items():
        assert workload.frames == round(duration * 50) - 1
        # a released layer is computed once forwards and about twice backwards
        assert 1 < train[duration].flops_per_audio_s / workload.flops_per_audio_s < 3
    assert record.matmul_peak_flops > 1e9


def test_the_flops_of_inference_are_those_counted_part_by_part(record: CostRecord) -> None:
    model = SERModel("tiny-wavlm", "attentive_statistics", 16, None, CLASSES, 1, init="random")
    parts = work_of(model.backbone, torch.device("cpu"))
    frames = 49
    # one layer is released, and so belongs to what is above the prefix
    expected = parts.prefix(frames, parts.layers - 1) + head_work(model).flops(frames)
    workload = next(p for p in record.points if p.duration_s == 1.0 and p.mode == "infer")
    assert workload.flops_per_audio_s == pytest.approx(expected, rel=0.02)


def test_samples_that_spread_are_marked_unstable() -> None:
    """A bound of almost nothing, which every real measurement breaks."""
    cost = CostSpec(durations_s=(0.5,), batch_sizes=(1,), infer_steps=8, max_spread=1e-9)
    found = measure_in_subprocess(
        tiny().model_copy(update={"cost": cost}), "smoke", "here", "cpu", offline=True
    )
    assert "samples spread by more than 0%" in found.points[0].unstable


def test_a_measurement_that_fails_becomes_a_record_that_says_why_without_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOME_TOKEN", "tiny-wavlm")  # which what goes wrong is said of
    record = measure_in_subprocess(tiny(finetune_layers=99), "smoke", "here", "cpu", offline=True)
    assert record.status == "failed"
    assert record.error is not None
    assert "99" in record.error
    assert "***" in record.error
    assert "tiny-wavlm" not in record.error
    assert record.points == []


def test_a_measurement_that_is_interrupted_leaves_no_process_behind() -> None:
    """Not even one that would go on for a minute; the interrupt is not made a record."""
    cost = CostSpec(durations_s=(1.0,), batch_sizes=(1,), infer_steps=100_000)
    trial = tiny().model_copy(update={"cost": cost})
    Timer(6.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        measure_in_subprocess(trial, "smoke", "here", "cpu", offline=True)
    assert time.monotonic() - started < 30
    assert multiprocessing.active_children() == []


def test_a_cost_is_known_by_what_is_measured_and_where() -> None:
    assert tiny().cost_id("a") == tiny().cost_id("a")
    assert tiny().cost_id("a") != tiny().cost_id("b")
    assert tiny().cost_id("a") != tiny(finetune_layers=2).cost_id("a")


def test_heads_and_precisions_that_differ_are_measured_apart() -> None:
    changes = ["matrix.pooling=[mean, attentive_statistics]", "matrix.precision=[float32, bf16]"]
    suite = load_suite("smoke", [*changes, "matrix.finetune_layers=[0]"])
    found = cost_trials(suite, expand(suite, lambda spec: (1,)))
    assert len(found) == 8
    assert len({cost.cost_id("here") for cost in found}) == 8


def test_a_suite_measures_each_backbone_and_depth_once() -> None:
    suite = load_suite("smoke", ["matrix.seed=[1, 2]", "matrix.loss=[dr, cross_entropy]"])
    trials = expand(suite, lambda spec: (1, 2))
    found = [(c.backbone.name, c.finetune_layers) for c in cost_trials(suite, trials)]
    assert found == [(b, n) for b in ("tiny-wavlm", "tiny-emotion2vec") for n in (0, 1, 2)]
    assert cost_trials(suite.model_copy(update={"cost": None}), trials) == ()


def test_a_suite_without_corpora_measures_its_whole_matrix() -> None:
    suite = load_suite("cost")
    assert expand(suite, lambda spec: (1,)) == ()
    found = [(c.backbone.name, c.finetune_layers) for c in cost_trials(suite, ())]
    assert len(found) == 8
    assert set(found) == set(product([b.name for b in suite.backbones], (0, 2)))


def test_patterns_select_what_a_suite_without_corpora_measures() -> None:
    suite = load_suite("cost")
    found = cost_trials(suite, (), ["tiny-*", "wavlm-base/2/*"])
    assert {(cost.backbone.name.partition("-")[0], cost.finetune_layers) for cost in found} == {
        ("tiny", 0),
        ("tiny", 2),
        ("wavlm", 2),
    }
    with pytest.raises(SuiteError, match="no trial matches 'hubert'"):
        cost_trials(suite, (), ["hubert"])


def test_each_timed_step_takes_as_long_as_the_step() -> None:
    samples = timed(lambda: time.sleep(0.02), 4, torch.device("cpu"))
    assert len(samples) == 4
    assert min(samples) >= 0.02


def test_the_warm_up_step_is_not_counted() -> None:
    calls: list[int] = []
    assert len(timed(lambda: calls.append(1), 3, torch.device("cpu"))) == 3
    assert len(calls) == 4


def test_recordings_hold_the_seconds_asked_for_and_are_the_same_each_time(tmp_path: Path) -> None:
    batches = []
    for name in ("first", "again"):
        (tmp_path / name).mkdir()
        batches.append(load_batch(recordings(tmp_path / name, 0.5, 3), [0, 1, 2], ()))
    first, again = batches
    assert first.waveforms.shape == (3, 8000)
    assert first.lengths.tolist() == [8000] * 3
    assert first.targets.tolist() == [0, 1, 2]
    assert torch.equal(first.waveforms, again.waveforms)


def test_every_workload_has_the_steps_asked_for() -> None:
    accelerator = make_accelerator("cpu", "float32")
    profiled = load(tiny(), accelerator, offline=True)
    cost = CostSpec(durations_s=(0.5,), batch_sizes=(1, 2), infer_steps=5, train_steps=1)
    samples = time_all(profiled, cost)
    assert {workload: len(taken) for workload, taken in samples.items()} == {
        (mode, 0.5, size): 5 if mode == "infer" else 1 for mode in MODES for size in (1, 2)
    }


def test_a_programs_own_work_is_not_that_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 20 s of all processors 9 were in use, 6 of them by this program."""
    clocks = iter([(100.0, 50.0, 10.0), (120.0, 59.0, 16.0)])
    monkeypatch.setattr(interference, "_clocks", lambda: next(clocks))
    with interference.monitored_processors() as found:
        pass
    assert found.share == pytest.approx(3 / 20)
    assert found.reasons == ["other programs took 15% of the processors"]


def test_others_on_processors_that_this_program_may_not_use_take_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = namedtuple("clock", "user idle guest")
    clocks = iter([[clock(1, 9, 0), clock(0, 10, 0)], [clock(2, 28, 1), clock(20, 10, 0)]])
    monkeypatch.setattr(interference.psutil, "cpu_times", lambda percpu: next(clocks))
    monkeypatch.setattr(interference.os, "sched_getaffinity", lambda pid: {0})
    first, second = interference._clocks(), interference._clocks()
    assert (first[:2], second[:2]) == ((10, 1), (30, 2))


def test_what_others_take_of_the_processors_is_noticed() -> None:
    busy = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(busy) for _ in range(os.cpu_count() or 1)]
    try:
        with interference.monitored_processors() as found:
            time.sleep(1)
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert found.share > 0.5
    assert "of the processors" in found.reasons[0]


def test_peak_memory_counts_what_was_held_and_let_go() -> None:
    code = (
        "from harness.profiling.memory import peak_rss; import torch\n"
        "before = peak_rss().bytes; torch.ones(200 * 2**20 // 4)\n"
        "print((peak_rss().bytes - before) / 2**20)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 150 < float(run.stdout) < 260


def test_the_peak_of_the_process_that_starts_a_measurement_is_not_carried_over() -> None:
    code = (
        "import subprocess, sys\n"
        "block = b'x' * (1500 * 2**20)\n"
        "inner = 'from harness.profiling.memory import peak_rss; print(peak_rss().bytes / 2**20)'\n"
        "print(subprocess.run([sys.executable, '-c', inner], capture_output=True, text=True,"
        " check=True).stdout)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(run.stdout) < 1000
