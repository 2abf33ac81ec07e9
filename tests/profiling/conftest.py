"""A machine with the GPUs of a scenario: a compiled stand-in for libnvidia-ml.so.1."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "support" / "nvml_standin.c"

Play = Callable[[str, str], str]


@pytest.fixture(scope="session")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the compiled library."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler, with which to build a stand-in for NVML")
    folder = tmp_path_factory.mktemp("nvml")
    strict = ("-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC")
    library = folder / "libnvidia-ml.so.1"
    subprocess.run([compiler, *strict, "-o", library, SOURCE], check=True)
    return folder


@pytest.fixture
def play(standin: Path, tmp_path: Path) -> Play:
    """Runs a program where NVML finds what a scenario says, and gives back what it prints."""

    def run(scenario: str, program: str) -> str:
        (tmp_path / "scenario.txt").write_text(scenario)
        script = tmp_path / "program.py"
        # the monitoring process imports its parent's file
        body = "".join(f"    {line}\n" for line in program.strip().splitlines())
        script.write_text(f"if __name__ == '__main__':\n{body}")
        environment = os.environ | {
            "LD_LIBRARY_PATH": str(standin),
            "NVML_SCENARIO": str(tmp_path / "scenario.txt"),
        }
        answer = subprocess.run(
            [sys.executable, script], env=environment, capture_output=True, text=True
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout.strip()

    return run
