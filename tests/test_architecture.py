"""The rules of the house beside its layers, which `lint-imports` holds: names, and no torch."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

TORCH_FREE = (
    "backbones",
    "backbones.cards",
    "harness.api",
    "harness.cli",
    "harness.config",
    "harness.data",
    "harness.model.components",
    "harness.reporting",
    "harness.results",
    "harness.runs.planning",
    "harness.runs.work_units",
    "harness.specs",
    "harness.tasks",
)
NEEDS_TORCH = ("harness.data.batches", "harness.data.prepared_corpus")


def modules() -> Iterator[tuple[str, Path]]:
    for package in ("harness", "backbones"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts).removesuffix(".__init__"), path


def twice(names: Iterator[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def test_no_module_name_stands_twice() -> None:
    assert not twice(path.stem for _, path in modules() if not path.stem.startswith("__"))


def test_no_public_class_name_stands_twice() -> None:
    trees = (ast.parse(path.read_text(encoding="utf-8")) for _, path in modules())
    classes = (node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))
    assert not twice(name for name in classes if not name.startswith("_"))


@pytest.mark.parametrize("package", TORCH_FREE)
def test_what_plans_and_reports_does_not_load_torch(package: str) -> None:
    names = [name for name, _ in modules() if name == package or name.startswith(f"{package}.")]
    if package == "backbones":
        names = ["backbones"]
    listed = ", ".join(name for name in names if name not in NEEDS_TORCH)
    code = f"import sys, {listed}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
