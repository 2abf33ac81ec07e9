"""The rules of the house: who may import whom, and who must not load torch."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A module imports from its own floor or a lower one. `__main__` stands above all.
FLOORS = {
    "harness": 0,
    "backbones": 1,
    "harness.analysis": 1,
    "harness.audio": 1,
    "harness.errors": 0,
    "harness.files": 0,
    "harness.suite.backbone_card": 1,
    "harness.suite.schema": 1,
    "harness.records.schema": 1,
    "harness.batches": 2,
    "harness.corpora": 2,
    "harness.heads": 2,
    "harness.progress": 2,
    "harness.records": 2,
    "harness.suite": 3,
    "harness.protocol": 3,
    "harness.report": 3,
    "harness.compare": 4,
    "harness.replay": 0,
    "harness.secrets": 0,
    "harness.fetch": 4,
    "harness.tracking": 4,
    "harness.training": 4,
    "harness.cost": 5,
    "harness.listing": 5,
    "harness.contract": 2,
    "harness.machine": 2,
    "harness.options": 2,
    "harness.doctor": 6,
    "harness.ground": 4,
    "harness.frames": 5,
    "harness.bench": 5,
    "harness.estimate": 5,
    "harness.trial": 5,
    "harness.evaluation": 6,
    "harness.engines": 6,
    "harness.cli": 7,
    "harness.__main__": 8,
}

TORCH_FREE = (
    "backbones",
    "harness.analysis",
    "harness.cli",
    "harness.compare",
    "harness.corpora",
    "harness.listing",
    "harness.protocol",
    "harness.records",
    "harness.report",
    "harness.suite",
)


def modules() -> Iterator[tuple[str, Path]]:
    for package in ("harness", "backbones"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts).removesuffix(".__init__"), path


def floor(module: str) -> int:
    """The floor of the longest prefix of `module` that is listed."""
    parts = module.split(".")
    for end in range(len(parts), 0, -1):
        prefix = ".".join(parts[:end])
        if prefix in FLOORS and (prefix != "harness" or end == len(parts)):
            return FLOORS[prefix]
    raise AssertionError(f"{module} has no floor in tests/test_house.py")


def imports(path: Path) -> Iterator[str]:
    """Modules that a file imports, inside functions too; `from package import module` in full."""
    known = {name for name, _ in modules()}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in known else node.module


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=lambda value: str(value))
def test_a_module_imports_only_from_its_own_floor_or_below(name: str, path: Path) -> None:
    ours = [m for m in imports(path) if m.split(".")[0] in ("harness", "backbones")]
    too_high = [module for module in ours if floor(module) > floor(name)]
    assert not too_high


@pytest.mark.parametrize(
    ("name", "path"), [m for m in modules() if m[0].startswith("backbones")], ids=str
)
def test_backbones_import_nothing_from_the_harness(name: str, path: Path) -> None:
    assert not [module for module in imports(path) if module.startswith("harness")]


@pytest.mark.parametrize("package", TORCH_FREE)
def test_what_plans_and_reports_does_not_load_torch(package: str) -> None:
    names = [name for name, _ in modules() if name == package or name.startswith(f"{package}.")]
    if package == "backbones":
        names = ["backbones"]  # which imports all that a suite's check needs of it
    code = f"import sys, {', '.join(names)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
