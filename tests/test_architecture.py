"""What `lint-imports` cannot see: modules that must not load torch, and names that stand twice."""

import ast
import subprocess
import sys
from collections import defaultdict
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
"""Modules and packages that plan, read and report, without waiting seconds for torch."""

LOAD_TORCH = {"harness.data.batches", "harness.data.prepared_corpus"}
"""Modules of torch-free packages that make tensors."""


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the project by its full name."""
    for package in ("harness", "backbones"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts).removesuffix(".__init__"), path


def public_classes(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = (node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    yield from (name for name in names if not name.startswith("_"))


def used_twice(names: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    """Names -> the modules that use them, where there are several."""
    users: dict[str, list[str]] = defaultdict(list)
    for name, module in names:
        users[name].append(module)
    return {name: found for name, found in users.items() if len(found) > 1}


@pytest.mark.parametrize("package", TORCH_FREE)
def test_what_plans_and_reports_does_not_load_torch(package: str) -> None:
    names = [name for name, _ in modules() if f"{name}.".startswith(f"{package}.")]
    if package == "backbones":
        names = ["backbones"]
    imported = ", ".join(name for name in names if name not in LOAD_TORCH)
    code = f"import sys, {imported}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_no_two_modules_have_the_same_name() -> None:
    found = ((path.stem, name) for name, path in modules() if not path.stem.startswith("__"))
    assert used_twice(found) == {}


def test_no_two_public_classes_have_the_same_name() -> None:
    found = ((cls, name) for name, path in modules() for cls in public_classes(path))
    assert used_twice(found) == {}
