"""Benchmark harness for speech emotion recognition with self-supervised backbones.

`harness.plan`, `harness.run`, `harness.report`, `harness.rank`, `harness.merge` and
`harness.evaluate` do what the commands of those names do; they are imported when they are first
used. See `harness.api`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.api import evaluate, merge, plan, rank, report, run

__version__ = "0.2.0"

__all__ = ["__version__", "evaluate", "merge", "plan", "rank", "report", "run"]


def __getattr__(name: str) -> Any:
    if name in ("evaluate", "merge", "plan", "rank", "report", "run"):
        return getattr(import_module("harness.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
