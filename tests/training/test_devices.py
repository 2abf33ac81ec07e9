import errno
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from backbones import BackboneError
from harness.training.devices import keep_freed_memory, status_of

STEPS = """
import resource, sys, torch
from torch import nn
from harness.training.devices import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
layers = [[nn.Linear(32, 2048), nn.GELU(), nn.Linear(2048, 32)] for _ in range(4)]
network, values = nn.Sequential(*sum(layers, [])), torch.randn(1200, 32)  # 10 MB a layer
for turn in range(30):
    if turn == 20:
        before = resource.getrusage(resource.RUSAGE_SELF)
    network(values).sum().backward()
    network.zero_grad()
after = resource.getrusage(resource.RUSAGE_SELF)
print(after.ru_minflt - before.ru_minflt, after.ru_maxrss - before.ru_maxrss)
"""

glibc = pytest.mark.skipif(not keep_freed_memory(), reason="the allocator is not glibc's")


def ten_later_steps(how: str) -> tuple[int, int]:
    """Pages that were fetched from the system, and by how many KiB the peak rose."""
    ran = subprocess.run(
        [sys.executable, "-c", STEPS, how], capture_output=True, text=True, check=True
    )
    fetched, rise = ran.stdout.split()
    return int(fetched), int(rise)


@glibc
def test_steps_use_again_what_the_steps_before_them_freed() -> None:
    fetched, rise = ten_later_steps("keep")
    assert fetched < ten_later_steps("leave")[0] / 2
    assert rise < 64 * 1024


def test_memory_that_ran_out_below_another_error_is_told_as_such() -> None:
    outer = BackboneError("no network can be built")
    assert status_of(outer) == "failed"
    outer.__cause__ = MemoryError()
    assert status_of(outer) == "oom"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        RuntimeError("unable to mmap 8 bytes from file <a>: Cannot allocate memory (12)"),
        RuntimeError("std::bad_alloc"),
    ],
)
def test_every_way_to_say_that_memory_ran_out_is_understood(error: Exception) -> None:
    assert status_of(error) == "oom"


@pytest.mark.slow
def test_a_limit_of_memory_that_a_trial_passes_is_told_as_memory_that_ran_out(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["oom"], done.stderr


LIMITED = """
import resource, sys
import psutil
import harness
from harness.progress import LogReporter
from harness.runs.runtime_options import RuntimeOptions

class Stingy(LogReporter):
    def __init__(self): self._tasks = {}
    def advance(self, task, detail="", steps=1): pass
    def note(self, text):
        if text.startswith("["):  # the trial begins
            limit = psutil.Process().memory_info().vms + (4 << 20)
            resource.setrlimit(resource.RLIMIT_AS, (limit, -1))
        elif "oom" in text:
            resource.setrlimit(resource.RLIMIT_AS, (-1, -1))

changes = ["cost=null", "backbones=[tiny-emotion2vec]", "matrix.finetune_layers=[2]",
           "training.batch_seconds=400", "keep_models=none"]
options = RuntimeOptions("cpu", offline=True, engine="inline", frames="off", threads=1)
ran = harness.run("smoke", changes=changes, results=sys.argv[1], options=options, reporter=Stingy())
print(*(record.status for record in ran.summary.records))
"""
