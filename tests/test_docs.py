"""Every command in the documentation runs, or says why it is not run here."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^>]*) -->\n)?```(?P<language>sh|python)\n(?P<text>.*?)```", re.S
)
LINK = re.compile(r"\]\((?!https?:)(?P<target>[^)#]+)(?:#[^)]*)?\)")
README_BYTES = 12_000


@dataclass(frozen=True)
class Block:
    page: Path
    mark: str
    language: str
    text: str


def blocks() -> list[Block]:
    return [
        Block(page, found["mark"] or "", found["language"], found["text"])
        for page in PAGES
        for found in BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]


RUN = [block for block in blocks() if block.mark == "run"]


@pytest.mark.parametrize(
    "block", blocks(), ids=lambda block: f"{block.page.name}-{block.text[:30]}"
)
def test_a_block_of_commands_is_run_or_says_why_not(block: Block) -> None:
    assert block.mark == "run" or re.fullmatch(r"not run here: .{10,}", block.mark)


@pytest.mark.slow
@pytest.mark.parametrize("block", RUN, ids=lambda block: f"{block.page.name}-{block.language}")
def test_what_is_marked_to_run_runs(block: Block, tmp_path: Path) -> None:
    shell = ["bash", "-euo", "pipefail", "-c"]
    python = [sys.executable, "-W", "error::DeprecationWarning:__main__", "-c"]
    command = [*(shell if block.language == "sh" else python), block.text]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
    answer = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_somewhere(page: Path) -> None:
    targets = [found["target"] for found in LINK.finditer(page.read_text(encoding="utf-8"))]
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_every_page_is_named_in_the_readme() -> None:
    readme = PAGES[0].read_text(encoding="utf-8")
    assert not [page.name for page in PAGES[1:] if f"(docs/{page.name})" not in readme]


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert PAGES[0].stat().st_size <= README_BYTES
