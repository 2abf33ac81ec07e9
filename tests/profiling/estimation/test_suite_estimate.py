"""An estimate needs no weights, and stands beside what a run took."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from backbones.base import Backbone
from harness.data.batches import DECODING_THREADS
from harness.data.prepared_corpus import PreparedCorpus
from harness.profiling.estimation.backbone_profile import placeholder_backbone
from harness.profiling.estimation.calibration import gathering_threads
from harness.profiling.estimation.forecast import Amount
from harness.profiling.estimation.suite_estimate import estimate
from harness.specs import BackboneSpec, Trial

Trials = Callable[..., tuple[Trial, ...]]


def test_no_weights_are_needed(
    trials: Trials, prepared: PreparedCorpus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in ("HARNESS_MODELS", "HF_HOME", "MODELSCOPE_CACHE"):
        monkeypatch.setenv(variable, str(tmp_path))
    chosen = trials("backbones=[whisper-tiny]", "matrix.finetune_layers=[1]")
    (found,) = estimate([(prepared, chosen)], "cpu")
    assert found.expected.wall_s > 0
    assert found.flops_per_audio_s == pytest.approx(50 * 4 * 24 * 384**2, rel=0.2)


def test_networks_that_are_alike_are_timed_once(
    trials: Trials, prepared: PreparedCorpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []

    def counted(spec: BackboneSpec, device: torch.device) -> Backbone:
        built.append(spec.name)
        return placeholder_backbone(spec, device)

    monkeypatch.setattr("harness.profiling.estimation.suite_estimate.placeholder_backbone", counted)
    names = "whisper-tiny, whisper-tiny-30s, tiny-wavlm"
    listed = trials(f"backbones=[{names}]", "matrix.finetune_layers=[0]")
    chosen = [[trial] for trial in listed]
    found = estimate([(prepared, group) for group in [*chosen, chosen[-1]]], "cpu")
    assert built == names.split(", ")
    assert found[2] == found[3]
    # 30 s are heard of each second of speech
    assert found[1].expected.frames_bytes > 10 * found[0].expected.frames_bytes


def test_random_numbers_go_on_as_if_nothing_had_been_timed(
    trials: Trials, prepared: PreparedCorpus
) -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    estimate([(prepared, trials("backbones=[tiny-wavlm]"))], "cpu")
    assert torch.rand(1) == expected


def test_calibration_has_the_idle_threads_that_a_run_has() -> None:
    def gathering() -> int:
        return sum(thread.name.startswith("gather") for thread in threading.enumerate())

    with gathering_threads():
        assert gathering() == DECODING_THREADS
    assert gathering() == 0


def test_a_run_keeps_what_was_estimated_beside_what_it_took(
    cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))  # in which no frames are yet
    changes = ("--estimate", "--set", "cost=null", "--set", "training.epochs=1")
    answer = cli("run", "smoke", "--results", tmp_path, "--device", "cpu", *changes)
    assert answer.code == 0, answer.err
    kept = json.loads((tmp_path / "smoke" / "estimate.json").read_text())["groups"]
    for group in kept:
        expected, taken = Amount(**group["expected"]), Amount(**group["taken"])
        assert expected.frames_bytes == taken.frames_bytes > 0
        assert min(expected.wall_s, taken.wall_s) > 0
