"""A machine with the GPUs of a scenario: a compiled stand-in for libnvidia-ml.so.1."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from standins import compiled

Play = Callable[[str, str], str]


@pytest.fixture(scope="session")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the compiled library."""
    return compiled("nvml_standin.c", tmp_path_factory.mktemp("nvml") / "libnvidia-ml.so.1")


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
