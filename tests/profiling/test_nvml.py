"""NVML's real bindings against a stand-in of the library that plays scenarios."""

from typing import Any

TWO_GPUS = """
driver 570.1
gpu GPU-first 1000
energy 7
gpu GPU-second 2000
mig MIG-part 3000
"""


def test_a_gpu_is_found_by_its_uuid_wherever_it_stands(play: Any) -> None:
    """NVML does not look at CUDA_VISIBLE_DEVICES, by which torch's cuda:0 is the second here."""
    program = """
import os
os.environ["CUDA_VISIBLE_DEVICES"] = "1,0"
from harness.profiling.nvml import handle_of, snapshot, uuids
print(uuids(), *(snapshot(handle_of(uuid)).used_bytes for uuid in ("GPU-second", "first")))
"""
    assert play(TWO_GPUS, program) == "['GPU-first', 'GPU-second'] 2000 1000"


def test_a_part_of_a_gpu_is_found_by_its_uuid_however_torch_writes_it(play: Any) -> None:
    program = """
from harness.profiling.nvml import energy_j, handle_of, snapshot
handles = [handle_of(uuid) for uuid in ("MIG-part", "GPU-part", "part")]
print(*(snapshot(handle).used_bytes for handle in handles), energy_j(handles[0]))
"""
    assert play(TWO_GPUS, program) == "3000 3000 3000 None"


def test_a_gpu_that_is_not_there_is_an_error(play: Any) -> None:
    program = """
from harness.profiling.nvml import NVMLError, handle_of
try:
    handle_of("GPU-third")
except NVMLError as error:
    print(error)
"""
    assert play(TWO_GPUS, program) == "Not Found"


def test_without_a_driver_there_is_nothing_to_see(play: Any) -> None:
    program = """
from harness.profiling.nvml import driver_version, snapshot_all
print(snapshot_all(), driver_version())
"""
    assert play("driver missing", program) == "{} None"
    assert "570.1" in play(TWO_GPUS, program)


def test_memory_that_the_driver_does_not_tell_is_none_and_not_zero(play: Any) -> None:
    scenario = "gpu GPU-a 10\nprocess 5 unknown\nprocess 6 70\nprocess 7 0"
    program = """
from harness.profiling.nvml import handle_of, snapshot
print(snapshot(handle_of("GPU-a")).processes)
"""
    assert play(scenario, program) == "{5: None, 6: 70, 7: None}"


def test_energy_is_counted_in_joules_and_none_without_a_counter(play: Any) -> None:
    program = """
from harness.profiling.nvml import energy_j, handle_of
first = handle_of("GPU-first")
print(energy_j(first), energy_j(first), energy_j(handle_of("GPU-second")))
"""
    assert play(TWO_GPUS, program) == "0.007 0.014 None"


def test_the_doctor_says_that_torch_misses_the_gpus_that_nvml_sees(play: Any) -> None:
    program = """
from harness.diagnostics.machine_checks import _gpus
for check in _gpus():
    print(check.line())
"""
    found = play(TWO_GPUS, program)
    assert found.startswith("machine: GPU: FAILED: NVML sees 2 (GPU-first, GPU-second)")
    assert "driver 570.1" in found
    assert "none (Driver Not Loaded)" in play("driver missing", program)
