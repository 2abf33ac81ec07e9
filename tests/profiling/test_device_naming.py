"""A run's process names its device and takes nothing of a GPU, which torch would to name it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from standins import compiled

from harness.errors import UserError
from harness.profiling.device_naming import name_of_device
from harness.results.environment import processor

Beside = Callable[[str], str]

# where there is a GPU, torch would take the stand-in for its driver
pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a driver of two GPUs."""
    return compiled("cuda_standin.c", tmp_path_factory.mktemp("cuda") / "libcuda.so.1")


@pytest.fixture
def beside_gpus(driver: Path, tmp_path: Path) -> Beside:
    """Runs a program on a machine with that driver, and gives back the last line it prints."""

    def run(program: str) -> str:
        answer = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env=os.environ | {"LD_LIBRARY_PATH": str(driver)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout.splitlines()[-1]

    return run


GPU_NAMES = """
import os
from harness.errors import UserError
from harness.profiling.device_naming import gpu_name

def told(number):
    try:
        return gpu_name(number)
    except UserError as error:
        return str(error)

names = [told(number) for number in range(3)]
os.environ["CUDA_STANDIN_IS_BROKEN"] = "1"
print(*names, told(0), sep=" | ")
"""


def test_a_gpu_has_the_name_that_its_driver_gives_it(beside_gpus: Beside) -> None:
    first, second, third, broken = beside_gpus(GPU_NAMES).split(" | ")
    assert (first, second) == ("Stand-in 0", "Stand-in 1")
    assert third.startswith("cuda:2 has no name: the driver of CUDA answers with error 101")
    assert broken.startswith("cuda:0 has no name: the driver of CUDA answers with error 100")


def test_without_a_gpu_the_processor_is_named() -> None:
    assert name_of_device("cpu") == name_of_device("auto") == processor()
    with pytest.raises(UserError, match="torch sees no GPU"):
        name_of_device("cuda")


RUN = """
import torch
import harness
from harness.runs import engines
from harness.runs.jobs import devices_of
from harness.runs.runtime_options import RuntimeOptions

def refuse(*_):
    raise AssertionError("this process is not to take anything of a GPU")

torch.cuda._lazy_init = torch.cuda.init = refuse
torch.cuda.is_available, torch.cuda.device_count = lambda: True, lambda: 2
assert devices_of("auto") == ("cuda:0", "cuda:1")
engines.worker_devices = lambda options: ("cpu",)  # workers see none of them
cost = "cost={durations_s: [0.5], batch_sizes: [1], rounds: 1, infer_steps: 1, train_steps: 1}"
changes = [cost, "backbones=[logmel]", "matrix.finetune_layers=[0]", "training.epochs=1",
           "must_beat_majority=false"]
options = RuntimeOptions("auto", offline=True, threads=1)
ran = harness.run("smoke", changes=changes, results=".", options=options, estimate=True)
assert [record.status for record in ran.summary.records] == ["ok"]
assert "estimated" in ran.summary.line()
print([(cost.status, cost.device) for cost in ran.summary.costs])
"""


@pytest.mark.slow
def test_a_run_that_measures_costs_takes_nothing_of_a_gpu_itself(beside_gpus: Beside) -> None:
    assert beside_gpus(RUN) == "[('ok', 'Stand-in 0')]"
