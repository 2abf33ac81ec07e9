"""What is installed from the wheel works without the checkout."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_wheel_runs_elsewhere_and_finds_its_suites(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    built, site, elsewhere = tmp_path / "built", tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    # of a copy, since building leaves a folder behind that the next build would take files from
    source = tmp_path / "source"
    for part in ("harness", "backbones", "suites"):
        shutil.copytree(ROOT / part, source / part)
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(built), str(source)]
    subprocess.run(build, cwd=tmp_path, check=True)
    (wheel,) = built.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), str(wheel)], check=True)
    code = (
        # an editable install would lend what the wheel lacks
        "import sys; sys.meta_path[:] = [f for f in sys.meta_path if 'editable' not in "
        "f'{f!r} {getattr(f, \"__module__\", None)}']\n"
        "import harness, backbones, sys; from harness.__main__ import main\n"
        f"assert all(m.__path__[0].startswith({str(site)!r}) for m in (harness, backbones))\n"
        "sys.argv = ['harness', 'run', 'smoke', '--set', 'training.epochs=1', '--set', "
        "'must_beat_majority=false', '--set', 'cost=null', '--only', 'tiny-wavlm/0/*']\n"
        "main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(site)!r})\n{code}"],
        cwd=elsewhere, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert (elsewhere / "results" / "smoke" / "trials.csv").exists()
