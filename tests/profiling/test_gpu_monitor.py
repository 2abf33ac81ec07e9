"""What a process of its own sees of a GPU while another works."""

import os
from typing import Any

import pytest

from harness.profiling.gpu_monitor import GpuUsage, monitored
from harness.profiling.nvml import GpuSnapshot

WATCH = """
import os, time
from harness.profiling.gpu_monitor import monitored
with monitored("GPU-a", rate_hz=200) as watch:
    time.sleep(0.5)
seen = watch.seen
"""
WATCH_AND_JUDGE = (
    WATCH
    + """
from harness.profiling.interference import gpu_interference
from harness.profiling.memory import gpu_fields
from harness.profiling.nvml import GpuSnapshot
from harness.profiling.gpu_monitor import own_pid
"""
)


def test_memory_that_grows_is_seen_at_its_peak(play: Any) -> None:
    scenario = "gpu GPU-a 1000\ngrow 10 35"
    program = WATCH + "print(seen.baseline_bytes, seen.peak_bytes, seen.looks > 4, seen.lost)"
    assert play(scenario, program) == "1000 1035 True None"


def test_a_process_is_known_by_its_pid_and_its_peak_is_its_own(play: Any) -> None:
    scenario = "gpu GPU-a 1000\ngrow 10 35\nprocess parent grown\nprocess 77 500"
    program = WATCH + "print(seen.process_peaks == {os.getpid(): 35, 77: 500})"
    assert play(scenario, program) == "True"


def test_hidden_pids_leave_the_rise_of_the_device(play: Any) -> None:
    program = WATCH_AND_JUDGE + (
        "print(gpu_fields(watch))\nprint(gpu_fields(watch, GpuSnapshot(400, {})))"
    )
    first, second = play("gpu GPU-a 1000\ngrow 10 35", program).splitlines()
    assert "'peak_gpu_bytes': 35, 'peak_gpu_source': 'nvml-device-rise'" in first
    assert "'gpu_baseline_bytes': 400" in second
    assert "'peak_gpu_bytes': 635" in second


def test_a_visible_pid_is_taken_and_the_device_is_told_apart(play: Any) -> None:
    scenario = "gpu GPU-a 1000\ngrow 10 35\nprocess parent grown"
    program = WATCH_AND_JUDGE + "print(gpu_fields(watch, GpuSnapshot(900, {})))"
    found = play(scenario, program)
    assert "'peak_gpu_bytes': 35, 'peak_gpu_source': 'nvml-process'" in found
    assert "'gpu_baseline_bytes': 900, 'gpu_device_peak_bytes': 1035" in found


def test_a_pid_of_the_host_is_ours_if_it_came_with_our_work(play: Any) -> None:
    """In a container NVML may list the host's PIDs, of which this process knows none."""
    scenario = "gpu GPU-a 1000\ngrow 10 35\nprocess 64540 grown\nprocess 12 500"
    program = WATCH_AND_JUDGE + (
        "before = GpuSnapshot(1000, {12: 500})\n"
        "print(own_pid(seen, before), own_pid(seen, GpuSnapshot(1000, {})), own_pid(seen, None))\n"
        "print(gpu_fields(watch, before)[0])\nprint(gpu_interference(watch, 64540))"
    )
    pids, fields, reasons = play(scenario, program).splitlines()
    assert pids == "64540 None None"
    assert "'peak_gpu_bytes': 35, 'peak_gpu_source': 'nvml-process'" in fields
    assert reasons == "['another process used the GPU: PID 12']"


def test_memory_shared_with_others_that_cannot_be_told_apart_is_missing(play: Any) -> None:
    scenario = "gpu GPU-a 1000\nprocess parent unknown\nprocess 77 500"
    program = WATCH_AND_JUDGE + "print(gpu_fields(watch))"
    found = play(scenario, program)
    assert "peak_gpu_source" not in found
    assert "PID 77" in found


def test_another_process_makes_a_measurement_unstable(play: Any) -> None:
    program = WATCH_AND_JUDGE + "print(gpu_interference(watch, os.getpid()))"
    alone = "gpu GPU-a 1000\nprocess parent 500"
    assert play(alone, program) == "[]"
    its_run = f"\nprocess {os.getpid()} 500"  # here the tests, which started the program
    assert play(alone + its_run, program) == "[]"
    assert play(alone + "\nprocess 77 1", program) == "['another process used the GPU: PID 77']"


def test_a_gpu_that_is_lost_keeps_what_was_seen_and_says_so(play: Any) -> None:
    program = WATCH_AND_JUDGE + (
        "print(seen.peak_bytes, seen.lost, gpu_interference(watch, os.getpid()))\n"
        "print(gpu_fields(watch)[1])"
    )
    found = play("gpu GPU-a 1000\ngrow 10 35\nlost 4", program)
    assert found.startswith("1020 GPU is lost ['the GPU could not be watched to the end")
    assert "watched in part: GPU is lost" in found


def test_a_watch_that_is_killed_harms_no_work(play: Any) -> None:
    program = """
import multiprocessing, os, signal
from harness.profiling.gpu_monitor import monitored
with monitored("GPU-a", rate_hz=200) as watch:
    (watcher,) = multiprocessing.active_children()
    os.kill(watcher.pid, signal.SIGKILL)
    watcher.join()
print(watch.seen, watch.error)
"""
    assert play("gpu GPU-a 1000", program) == "None the watching process was killed"


def test_without_a_driver_nothing_is_seen_and_the_reason_is_told(play: Any) -> None:
    program = WATCH.replace("seen = watch.seen", "print(watch.seen, watch.error)")
    assert play("driver missing", program) == "None NVML: Driver Not Loaded"


def test_energy_is_what_the_counter_rose_by(play: Any) -> None:
    program = """
from harness.profiling.energy import NoEnergy, spent
from harness.profiling.nvml import energy_j, handle_of
handle = handle_of("GPU-a")
joules, steps = spent(lambda: None, lambda: None, 0.01, lambda: energy_j(handle))
print(round(joules, 3), steps > 0)
"""
    assert play("gpu GPU-a 0\nenergy 1500", program) == "1.5 True"


def test_a_counter_that_stands_still_is_no_energy(play: Any) -> None:
    program = """
from harness.profiling.energy import NoEnergy, spent
from harness.profiling.nvml import energy_j, handle_of
handle = handle_of("GPU-a")
try:
    spent(lambda: None, lambda: None, 0.01, lambda: energy_j(handle))
except NoEnergy as error:
    print(error)
"""
    assert play("gpu GPU-a 0\nenergy 0", program) == "the energy counter stood still for 0.01 s"


def test_on_the_cpu_there_is_nothing_to_watch() -> None:
    with monitored(None, 10.0) as watch:
        pass
    assert watch.seen is None
    assert watch.error == "the work ran on the CPU"


@pytest.mark.parametrize(("first", "then", "peak"), [(None, 5, 5), (5, None, 5), (5, 3, 5)])
def test_a_processes_peak_outlives_looks_that_do_not_tell(
    first: int | None, then: int | None, peak: int
) -> None:
    seen = GpuUsage.first(GpuSnapshot(1, {7: first})).and_then(GpuSnapshot(2, {7: then}))
    assert seen.process_peaks == {7: peak}
    assert (seen.baseline_bytes, seen.peak_bytes, seen.looks) == (1, 2, 2)
