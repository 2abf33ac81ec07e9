"""The cost pass, for real, on the tiny backbones."""

import subprocess
import sys
import time

import pytest
import torch

from harness.cost.measure import measure_apart
from harness.cost.memory import gpu_meter, peak_rss
from harness.cost.plan import cost_trials
from harness.cost.throughput import example_batch, timed
from harness.suite.load import load_suite
from harness.suite.matrix import expand
from harness.suite.schema import BackboneSpec, CostSpec, CostTrial, HeadSpec

COST = CostSpec(durations_s=(0.5, 1.0), batch_sizes=(1, 2), infer_steps=3, train_steps=2)


def tiny(finetune_layers: int = 1) -> CostTrial:
    return CostTrial(
        backbone=BackboneSpec(name="tiny-wavlm", init="random"),
        finetune_layers=finetune_layers,
        head=HeadSpec(head_dim=16),
        precision="auto",
        frozen_mode="eval",
        cost=COST,
    )


def test_every_duration_and_batch_size_is_measured_with_its_raw_samples() -> None:
    record = measure_apart(tiny(), "smoke", "here", "cpu", offline=True)
    assert record.status == "ok", record.error
    shapes = [(p.mode, p.duration_s, p.batch_size) for p in record.points]
    assert shapes == [
        (mode, duration, size)
        for mode in ("infer", "train")
        for duration in (0.5, 1.0)
        for size in (1, 2)
    ]
    for point in record.points:
        assert len(point.samples_s) == (3 if point.mode == "infer" else 2)
        middle = sorted(point.samples_s)[len(point.samples_s) // 2]
        if point.mode == "infer":
            expected = point.duration_s * point.batch_size / middle
            assert point.audio_s_per_s == pytest.approx(expected)
    assert record.random_weights
    assert record.peak_rss_source in ("VmHWM", "getrusage")
    assert record.peak_gpu_bytes is None
    assert record.torch_peak_allocated_bytes is None


def test_a_measurement_that_fails_becomes_a_record_that_says_why() -> None:
    record = measure_apart(tiny(finetune_layers=99), "smoke", "here", "cpu", offline=True)
    assert record.status == "failed"
    assert record.error is not None
    assert "99" in record.error
    assert record.points == []


def test_a_cost_is_known_by_what_is_measured_and_where() -> None:
    assert tiny().cost_id("a") == tiny().cost_id("a")
    assert tiny().cost_id("a") != tiny().cost_id("b")
    assert tiny().cost_id("a") != tiny(finetune_layers=2).cost_id("a")


def test_heads_and_precisions_that_differ_are_measured_apart() -> None:
    changes = ["matrix.pooling=[mean, attentive_statistics]", "matrix.precision=[float32, bf16]"]
    suite = load_suite("smoke", [*changes, "matrix.finetune_layers=[0]"])
    found = cost_trials(expand(suite, lambda spec: (1,)), suite.cost)
    assert len(found) == 8
    assert len({cost.cost_id("here") for cost in found}) == 8


def test_a_suite_measures_each_backbone_and_depth_once() -> None:
    suite = load_suite("smoke", ["matrix.seed=[1, 2]", "matrix.loss=[dr, cross_entropy]"])
    trials = expand(suite, lambda spec: (1, 2))
    found = [(c.backbone.name, c.finetune_layers) for c in cost_trials(trials, suite.cost)]
    assert found == [(b, n) for b in ("tiny-wavlm", "tiny-emotion2vec") for n in (0, 1, 2)]
    assert cost_trials(trials, None) == ()


def test_each_timed_step_takes_as_long_as_the_step() -> None:
    samples = timed(lambda: time.sleep(0.02), 4, torch.device("cpu"))
    assert len(samples) == 4
    assert min(samples) >= 0.02


def test_the_warm_up_step_is_not_counted() -> None:
    calls: list[int] = []
    assert len(timed(lambda: calls.append(1), 3, torch.device("cpu"))) == 3
    assert len(calls) == 4


def test_an_example_batch_is_the_same_each_time_and_holds_the_seconds_asked_for() -> None:
    first, again = (example_batch(0.5, 3, 2, torch.device("cpu")) for _ in range(2))
    waveforms, lengths, labels = first
    assert waveforms.shape == (3, 8000)
    assert lengths.tolist() == [8000] * 3
    assert labels.tolist() == [0, 1, 0]
    assert torch.equal(waveforms, again[0])


def test_peak_memory_counts_what_was_held_and_let_go() -> None:
    before = peak_rss().bytes
    block = torch.ones(64 * 2**20 // 4)
    del block
    assert peak_rss().bytes >= before
    code = (
        "from harness.cost.memory import peak_rss; import torch\n"
        "before = peak_rss().bytes; torch.ones(200 * 2**20 // 4)\n"
        "print((peak_rss().bytes - before) / 2**20)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 150 < float(run.stdout) < 260


def test_the_peak_of_the_process_that_starts_a_measurement_is_not_carried_over() -> None:
    code = (
        "import subprocess, sys\n"
        "block = b'x' * (1500 * 2**20)\n"
        "inner = 'from harness.cost.memory import peak_rss; print(peak_rss().bytes / 2**20)'\n"
        "print(subprocess.run([sys.executable, '-c', inner], capture_output=True, text=True,"
        " check=True).stdout)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(run.stdout) < 1000


def test_without_a_gpu_there_is_no_meter() -> None:
    assert gpu_meter(torch.device("cpu")) is None
