"""What a user is told of this machine_checks."""

from typing import Any

import pytest
import torch

from harness.diagnostics import machine_checks
from harness.diagnostics.machine_checks import examine_machine


def test_every_part_of_a_machine_is_told_with_its_numbers() -> None:
    checks = {check.name: check for check in examine_machine()}
    assert {"processor", "memory", "float32 on the CPU", "bf16 on the CPU"} <= set(checks)
    assert f"torch uses {torch.get_num_threads()} threads" in checks["processor"].detail
    assert "GFLOP/s" in checks["float32 on the CPU"].detail
    assert all(check.ok is not False for check in checks.values())


@pytest.mark.usefixtures("small_products")
@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_the_reason_is_told() -> None:
    gpu = next(check for check in examine_machine() if check.name == "GPU")
    assert gpu.ok is None
    assert "GPU memory and energy cannot be measured" in gpu.detail


@pytest.mark.parametrize(("factor", "ok"), [(2.1, None), (1.05, True)])
def test_a_blas_at_half_of_onednns_speed_is_noted(
    factor: float, ok: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_checks, "matmul_peak", lambda device, dtype: 100e9)
    monkeypatch.setattr(machine_checks, "_convolution_flops", lambda: factor * 100e9)
    check = next(machine_checks._speeds())
    assert check.ok is ok
    assert ("slow on this processor" in check.detail) is (ok is None)


@pytest.mark.usefixtures("small_products")
def test_the_doctor_looks_at_the_machine_unless_backbones_are_named(cli: Any) -> None:
    assert "machine: processor: ok" in cli("doctor").out
    assert "machine:" not in cli("doctor", "--backbone", "tiny-wavlm").out
