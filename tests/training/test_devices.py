import subprocess
import sys

import pytest

from backbones import BackboneError
from harness.training.devices import keep_freed_memory, status_of

STEPS = """
import resource, sys, torch
from torch import nn
from harness.training.devices import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
layers = [[nn.Linear(512, 2048), nn.GELU(), nn.Linear(2048, 512)] for _ in range(4)]
network, values = nn.Sequential(*sum(layers, [])), torch.randn(1200, 512)
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
