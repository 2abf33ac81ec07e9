"""What a process of its own measures of a GPU while another works."""

import os
from typing import Any

import pytest

from harness.profiling.gpu_monitor import GpuUsage, monitored
from harness.profiling.nvml import GpuSnapshot

MONITOR = """
import os, time
from harness.profiling.gpu_monitor import monitored
with monitored("GPU-a", rate_hz=200) as monitor:
    time.sleep(0.5)
usage = monitor.usage
"""
MONITOR_AND_JUDGE = (
    MONITOR
    + """
from harness.profiling.interference import gpu_interference
from harness.profiling.memory import gpu_fields
from harness.profiling.nvml import GpuSnapshot
from harness.profiling.gpu_monitor import own_pid
"""
)


def test_memory_that_grows_is_recorded_at_its_peak(play: Any) -> None:
    scenario = "gpu GPU-a 1000\ngrow 10 35"
    program = (
        MONITOR + "print(usage.baseline_bytes, usage.peak_bytes, usage.snapshots > 4, usage.lost)"
    )
    assert play(scenario, program) == "1000 1035 True None"


def test_a_process_is_known_by_its_pid_and_its_peak_is_its_own(play: Any) -> None:
    scenario = "gpu GPU-a 1000\ngrow 10 35\nprocess parent grown\nprocess 77 500"
    program = MONITOR + "print(usage.process_peaks == {os.getpid(): 35, 77: 500})"
    assert play(scenario, program) == "True"


def test_hidden_pids_leave_the_rise_of_the_device(play: Any) -> None:
    program = MONITOR_AND_JUDGE + (
        "print(gpu_fields(monitor))\nprint(gpu_fields(monitor, GpuSnapshot(400, {})))"
    )
    first, second = play("gpu GPU-a 1000\ngrow 10 35", program).splitlines()
    assert "'peak_gpu_bytes': 35, 'peak_gpu_source': 'nvml-device-rise'" in first
    assert "'gpu_baseline_bytes': 400" in second
    assert "'peak_gpu_bytes': 635" in second


def test_the_peak_of_a_visible_pid_is_told_apart_from_that_of_the_device(play: Any) -> None:
    scenario = "gpu GPU-a 1000\ngrow 10 35\nprocess parent grown"
    program = MONITOR_AND_JUDGE + "print(gpu_fields(monitor, GpuSnapshot(900, {})))"
    found = play(scenario, program)
    assert "'peak_gpu_bytes': 35, 'peak_gpu_source': 'nvml-process'" in found
    assert "'gpu_baseline_bytes': 900, 'gpu_device_peak_bytes': 1035" in found


def test_a_pid_of_the_host_is_ours_if_it_came_with_our_work(play: Any) -> None:
    """In a container NVML may list the host's PIDs, of which this process knows none."""
    scenario = "gpu GPU-a 1000\ngrow 10 35\nprocess 64540 grown\nprocess 12 500"
    program = MONITOR_AND_JUDGE + (
        "before = GpuSnapshot(1000, {12: 500})\n"
        "others = before, GpuSnapshot(1000, {}), None\n"
        "print(*(own_pid(usage, other) for other in others))\n"
        "print(gpu_fields(monitor, before)[0])\nprint(gpu_interference(monitor, 64540))"
    )
    pids, fields, reasons = play(scenario, program).splitlines()
    assert pids == "64540 None None"
    assert "'peak_gpu_bytes': 35, 'peak_gpu_source': 'nvml-process'" in fields
    assert reasons == "['another process used the GPU: PID 12']"


def test_memory_shared_with_others_that_cannot_be_told_apart_is_missing(play: Any) -> None:
    scenario = "gpu GPU-a 1000\nprocess parent unknown\nprocess 77 500"
    program = MONITOR_AND_JUDGE + "print(gpu_fields(monitor))"
    found = play(scenario, program)
    assert "peak_gpu_source" not in found
    assert "PID 77" in found


def test_another_process_makes_a_measurement_unstable(play: Any) -> None:
    program = MONITOR_AND_JUDGE + "print(gpu_interference(monitor, os.getpid()))"
    alone = "gpu GPU-a 1000\nprocess parent 500"
    assert play(alone, program) == "[]"
    its_run = f"\nprocess {os.getpid()} 500"  # here the tests, which started the program
    assert play(alone + its_run, program) == "[]"
    assert play(alone + "\nprocess 77 1", program) == "['another process used the GPU: PID 77']"


def test_a_gpu_that_is_lost_keeps_its_usage_so_far_and_says_so(play: Any) -> None:
    program = MONITOR_AND_JUDGE + (
        "print(usage.peak_bytes, usage.lost, gpu_interference(monitor, os.getpid()))\n"
        "print(gpu_fields(monitor)[1])"
    )
    found = play("gpu GPU-a 1000\ngrow 10 35\nlost 4", program)
    assert found.startswith("1020 GPU is lost ['the GPU could not be monitored to the end")
    assert "monitored in part: GPU is lost" in found


def test_a_monitor_that_is_killed_harms_no_work(play: Any) -> None:
    program = """
import multiprocessing, os, signal
from harness.profiling.gpu_monitor import monitored
with monitored("GPU-a", rate_hz=200) as monitor:
    (process,) = multiprocessing.active_children()
    os.kill(process.pid, signal.SIGKILL)
    process.join()
print(monitor.usage, monitor.error)
"""
    assert play("gpu GPU-a 1000", program) == "None the monitoring process was killed"


def test_without_a_driver_there_is_no_usage_but_the_reason(play: Any) -> None:
    program = MONITOR.replace("usage = monitor.usage", "print(monitor.usage, monitor.error)")
    assert play("driver missing", program) == "None NVML: Driver Not Loaded"


def test_energy_is_what_the_counter_rose_by(play: Any) -> None:
    program = """
from harness.profiling.energy import NoEnergy, measure_joules
from harness.profiling.nvml import energy_j, handle_of
handle = handle_of("GPU-a")
joules, steps = measure_joules(lambda: None, lambda: None, 0.01, lambda: energy_j(handle))
print(round(joules, 3), steps > 0)
"""
    assert play("gpu GPU-a 0\nenergy 1500", program) == "1.5 True"


def test_a_counter_that_stands_still_is_no_energy(play: Any) -> None:
    program = """
from harness.profiling.energy import NoEnergy, measure_joules
from harness.profiling.nvml import energy_j, handle_of
handle = handle_of("GPU-a")
try:
    measure_joules(lambda: None, lambda: None, 0.01, lambda: energy_j(handle))
except NoEnergy as error:
    print(error)
"""
    assert play("gpu GPU-a 0\nenergy 0", program) == "the energy counter stood still for 0.01 s"


def test_on_the_cpu_there_is_nothing_to_monitor() -> None:
    with monitored(None, 10.0) as monitor:
        pass
    assert monitor.usage is None
    assert monitor.error == "the work ran on the CPU"


@pytest.mark.parametrize(("first", "then", "peak"), [(None, 5, 5), (5, None, 5), (5, 3, 5)])
def test_a_processes_peak_outlives_snapshots_without_it(
    first: int | None, then: int | None, peak: int
) -> None:
    usage = GpuUsage.first(GpuSnapshot(1, {7: first})).updated(GpuSnapshot(2, {7: then}))
    assert usage.process_peaks == {7: peak}
    assert (usage.baseline_bytes, usage.peak_bytes, usage.snapshots) == (1, 2, 2)
