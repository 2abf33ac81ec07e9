"""Libraries that stand in for a driver's, where there is none."""

import shutil
import subprocess
from pathlib import Path

import pytest

STRICT = ("-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC")


def compiled(source: str, library: Path) -> Path:
    """The folder of a library, compiled from a file beside this one."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler, with which to build a stand-in for a library")
    text = Path(__file__).with_name(source)
    subprocess.run([compiler, *STRICT, "-o", library, text], check=True)
    return library.parent
