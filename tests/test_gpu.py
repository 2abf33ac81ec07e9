"""The same work on a GPU: `pytest -m gpu`. Skipped where there is none."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from made_up import make_cost_trial

from harness.diagnostics.machine_checks import examine_machine
from harness.model.ser_model import SERModel
from harness.profiling.device_naming import name_of_device
from harness.profiling.measurement import measure_in_subprocess
from harness.results.store import ResultsStore
from harness.specs import CostSpec

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


@pytest.mark.parametrize("name", ["wavlm-base", "emotion2vec_plus_base", "whisper-base"])
def test_two_waveforms_of_3_s_become_the_same_logits_as_on_the_cpu(name: str) -> None:
    model = SERModel(name, "attentive_statistics", 256, None, 8, 3, init="random").eval()
    waveforms = torch.randn(2, 48_000)
    with torch.inference_mode():
        expected = model(waveforms)
        found = model.to("cuda")(waveforms.to("cuda"))
    assert found.shape == (2, 8)
    torch.testing.assert_close(found.cpu(), expected, atol=1e-2, rtol=1e-2)


def test_the_smoke_suite_runs_in_mixed_precision(cli: Any, tmp_path: Path) -> None:
    changes = ("--set", "cost=null", "--set", "training.precision=auto")
    answer = cli("run", "smoke", "--results", tmp_path, "--device", "cuda", *changes)
    assert answer.code == 0, answer.err
    for record in ResultsStore(tmp_path / "smoke").read_trials():
        assert record.fit is not None
        assert record.fit.precision == (
            "bf16" if torch.cuda.is_bf16_supported(False) else "float32"
        )


def test_kept_frames_teach_what_the_recordings_do(cli: Any, tmp_path: Path) -> None:
    probabilities = {}
    for frames in ("auto", "off"):
        results = tmp_path / frames
        # two epochs need not beat guessing: what is held is that both learn the same
        changes = ("--set", "cost=null", "--set", "training.epochs=2",
                   "--set", "must_beat_majority=false", "--frames", frames)  # fmt: skip
        answer = cli("run", "smoke", "--results", results, "--device", "cuda", *changes)
        assert answer.code == 0, answer.err
        store = ResultsStore(results / "smoke")
        records = store.read_trials()
        assert {r.fit.frames_from for r in records} == {
            "stored" if frames == "auto" else "computed"
        }
        kept = [store.read_predictions(record) for record in records]
        probabilities[frames] = pd.concat(kept).filter(like="p_").to_numpy()
    np.testing.assert_allclose(probabilities["auto"], probabilities["off"], atol=1e-2)


def test_a_device_is_named_as_torch_names_it() -> None:
    assert name_of_device("cuda") == torch.cuda.get_device_name()


def test_costs_hold_the_peak_of_nvml_and_of_torch() -> None:
    trial = make_cost_trial("wavlm-base", 3, CostSpec(durations_s=(3.0,), batch_sizes=(8,)))
    record = measure_in_subprocess(
        trial, "cost", torch.cuda.get_device_name(), "cuda", offline=True
    )
    assert record.status == "ok", record.error
    assert record.peak_gpu_source in ("nvml-process", "nvml-device-rise")
    assert record.torch_peak_allocated_bytes is not None
    assert record.torch_peak_reserved_bytes is not None
    assert record.peak_gpu_bytes is not None
    assert record.torch_peak_allocated_bytes <= record.torch_peak_reserved_bytes
    assert record.torch_peak_reserved_bytes <= record.peak_gpu_bytes
    assert record.gpu_baseline_bytes + record.peak_gpu_bytes <= 1.1 * record.gpu_device_peak_bytes
    for point in record.points:
        assert point.torch_peak_allocated_bytes > 0
        assert point.joules_per_audio_hour is None or point.joules_per_audio_hour > 0
        assert 0 < point.flops_per_audio_s * point.audio_s_per_s < 1.5 * record.matmul_peak_flops


def test_the_doctor_finds_that_torch_and_nvml_agree_on_the_device() -> None:
    checks = {(check.subject, check.name): check for check in examine_machine()}
    assert checks["machine, cuda:0", "GPU"].ok
