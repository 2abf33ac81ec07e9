"""Finds what is to be played."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "HARNESS_RESULTS"


def newest() -> dict[str, Any]:
    """The newest file of benchmarks under the results that $HARNESS_RESULTS names.

    Raises:
        pytest.UsageError: there is none.
    """
    results = Path(os.environ.get(VARIABLE, "."))
    files = (results / "benchmarks").glob("*/[0-9]*_*.json")
    found = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    if not found:
        raise pytest.UsageError(
            f"no benchmarks in {results}: set {VARIABLE} to the results of a suite whose costs "
            "were measured, for example results/cost"
        )
    return dict(max(found, key=lambda content: str(content["datetime"])))
