"""The examples of CONTRIBUTING.md: each is installed as it stands there and trains."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from quiet import Quiet
from safetensors.torch import save_file

import harness
from backbones import BACKBONES, BackboneCard, load
from backbones.families import FAMILIES
from harness.diagnostics.backbone_contract import (
    check_card,
    check_frame_counts,
    check_numbers,
    check_padding,
)
from harness.results.records import Record
from harness.results.store import ResultsStore
from harness.runs.runtime_options import RuntimeOptions

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "CONTRIBUTING.md"
BLOCK = re.compile(
    r"^(?:In `(?P<table>\w+)` of )?`(?P<file>[\w/]+\.py)`:\n\n```python\n(?P<text>.*?)^```$",
    re.S | re.M,
)
SECTION = re.compile(r"^#{2,3} (?P<title>.+)\n", re.M)
PATH = re.compile(r"`((?:\.ci|backbones|docker|docs|harness|suites|tests)/[\w./-]*)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")
SAMPLE_RATE_HZ = 16_000

SUITE = """\
suite: added
task: {task}
corpora: [{{name: voices, kind: {corpus}, root: {folder}}}]
protocol: {{folds: 3, dev_speakers: 1, only_folds: [1]}}
backbones: [{{{backbone}}}]
matrix: {{finetune_layers: [{layers}], loss: [{loss}]}}
head: {{pooling: {pooling}, head_dim: 16}}
training:
  precision: float32
  epochs: 1
  batch_seconds: 4
  early_stopping: {{metric: {metric}, window: 1, loss_factor: null}}
cost: null
keep_models: none
"""


@dataclass(frozen=True)
class Block:
    """An example's module text, or its entry in a table."""

    table: str | None
    """Name of the table; None for the text of a module."""
    file: str
    text: str

    @property
    def module(self) -> str:
        """Dotted name of the module in the file."""
        return self.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def blocks_of(title: str) -> list[Block]:
    """The marked blocks of a section of the page, in their order."""
    _, *parts = SECTION.split(PAGE.read_text(encoding="utf-8"))
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    return [Block(**found.groupdict()) for found in BLOCK.finditer(sections[title])]


def install_module(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a block be an importable module, until the test ends."""
    module = ModuleType(block.module)
    module.__file__ = str(ROOT / block.file)
    parent, _, name = block.module.rpartition(".")
    if block.file.endswith("/__init__.py"):
        module.__path__ = []
    monkeypatch.setitem(sys.modules, block.module, module)
    exec(compile(block.text, block.file, "exec"), vars(module))  # noqa: S102
    monkeypatch.setattr(import_module(parent), name, module, raising=False)


def install_entry(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a block's entry to its table, evaluated with the names of the table's module."""
    module, name = import_module(block.module), str(block.table)
    table = getattr(module, name)
    if isinstance(table, dict):
        for key, value in evaluated(f"{{{block.text}}}", module).items():
            assert key not in table
            monkeypatch.setitem(table, key, value)
        return
    item = evaluated(block.text, module)
    monkeypatch.setattr(module, name, (*table, item))
    offer_backbones([item] if isinstance(item, BackboneCard) else item.cards, monkeypatch)
    for family in getattr(item, "names", ()):
        monkeypatch.setitem(FAMILIES, family, item)


def evaluated(text: str, module: ModuleType) -> Any:
    return eval(text, dict(vars(module)))  # noqa: S307


def offer_backbones(cards: Sequence[BackboneCard], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the catalogue, made from the tables when it was imported, know more cards."""
    grown = BACKBONES
    for card in cards:
        grown = grown.with_card(card)
    for name in ("cards", "_by_name", "_names"):
        monkeypatch.setitem(vars(BACKBONES), name, getattr(grown, name))


def rests_on(record: Record, part: str) -> bool:
    return record.fingerprint is not None and part in record.fingerprint.parts


Train = Callable[..., Record]


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Does what a section of the page says."""

    def follow(title: str) -> None:
        for block in blocks_of(title):
            install = install_entry if block.table else install_module
            install(block, monkeypatch)

    return follow


@pytest.fixture
def voices(tmp_path: Path) -> Path:
    """Six speakers, two emotions of other pitch, two takes each; and a manifest."""
    folder = tmp_path / "voices"
    folder.mkdir()
    time = np.arange(SAMPLE_RATE_HZ // 2) / SAMPLE_RATE_HZ
    rows = []
    for speaker in range(6):
        for label, pitch_hz in (("angry", 260), ("sad", 140)):
            for take in range(2):
                name = f"s{speaker}_{label}_{take}.wav"
                phase = 2 * np.pi * (pitch_hz + 5 * speaker + take) * time
                soundfile.write(folder / name, 0.3 * np.sin(phase), SAMPLE_RATE_HZ)
                rows.append((name, f"s{speaker}", label))
    frame = pd.DataFrame(rows, columns=["file", "speaker", "label"])
    frame.to_csv(folder / "manifest.csv", index=False)
    return folder


@pytest.fixture
def train(voices: Path, tmp_path: Path) -> Train:
    """Runs a suite of one trial through the Python API, and gives its record."""

    def run(**changes: object) -> Record:
        stated = {
            "task": "classification",
            "corpus": "manifest",
            "backbone": "name: logmel",
            "layers": 0,
            "loss": "cross_entropy",
            "pooling": "mean",
            "metric": "uar",
        } | changes
        path = tmp_path / "added.yaml"
        path.write_text(SUITE.format(folder=voices, **stated), encoding="utf-8")
        plan = harness.plan(path)
        options = RuntimeOptions("cpu", offline=True, engine="inline")
        harness.run(plan, results=tmp_path, options=options, reporter=Quiet())
        (record,) = ResultsStore(tmp_path / "added").read_trials()
        assert record.status == "ok", record.error
        assert record.fit is not None
        assert len(record.fit.curve) == 1
        assert record.metrics["test"].utterances == 8
        return record

    return run


def test_the_page_has_an_example_of_every_kind_of_part() -> None:
    titles = SECTION.findall(PAGE.read_text(encoding="utf-8"))
    examples = titles[titles.index("How to add a part") + 1 : titles.index("Style")]
    assert len(examples) == 6
    assert all(blocks_of(title) for title in examples)


def test_every_block_of_python_is_an_example_that_a_test_installs() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(BLOCK.findall(text)) == text.count("```python")


def test_every_path_that_the_page_names_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    examples = {found["file"] for found in BLOCK.finditer(text) if not found["table"]}
    named = {*PATH.findall(text), *LINK.findall(text)} - examples
    assert len(named) > 20
    assert not [path for path in sorted(named) if not (ROOT / path).exists()]


def test_a_card_of_a_known_family_trains(add: Callable[[str], None], train: Train) -> None:
    add("A backbone of a known family")
    record = train(backbone="name: mine-small, init: random", layers=1)
    assert rests_on(record, "backbone.wavlm")
    assert record.backbone_depth == 4
    assert record.total_parameters is not None
    assert record.head_parameters is not None
    backbone = record.total_parameters - record.head_parameters
    assert backbone == BACKBONES["mine-small"].parameters


def test_a_new_family_trains(add: Callable[[str], None], train: Train) -> None:
    add("A backbone family")
    record = train(backbone="name: tiny-frame-mlp, init: random", layers=2)
    assert rests_on(record, "backbone.frame-mlp")
    assert record.backbone_depth == 2


def test_a_checkpoint_of_a_new_family_is_loaded_and_trains(
    add: Callable[[str], None], train: Train, tmp_path: Path
) -> None:
    add("A backbone family")
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    settings = {"hidden_size": 16, "num_hidden_layers": 3}
    network = FAMILIES["frame-mlp"].network_module()
    built = network.build(BACKBONES["tiny-frame-mlp"], settings)
    save_file(built.state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    record = train(backbone=f"name: own, kind: frame-mlp, source: {folder}", layers=1)
    assert record.backbone_depth == 3
    assert record.random_weights is False


def test_a_new_family_keeps_the_contract_of_backbones(add: Callable[[str], None]) -> None:
    add("A backbone family")
    backbone = load("tiny-frame-mlp")
    for check in (check_card, check_frame_counts, check_padding, check_numbers):
        assert check(backbone)


def test_a_new_reader_lists_a_corpus_that_trains(add: Callable[[str], None], train: Train) -> None:
    add("A corpus")
    record = train(corpus="mine")
    assert rests_on(record, "reader.mine")
    assert record.classes == ["angry", "sad"]


def test_a_new_loss_trains(add: Callable[[str], None], train: Train) -> None:
    add("A loss")
    assert rests_on(train(loss="focal"), "loss.focal")


def test_a_new_pooling_trains(add: Callable[[str], None], train: Train) -> None:
    add("A pooling")
    assert rests_on(train(pooling="max"), "pooling.max")


def test_a_new_task_trains_and_is_scored(
    add: Callable[[str], None], train: Train, voices: Path
) -> None:
    add("A task")
    manifest = voices / "manifest.csv"
    frame = pd.read_csv(manifest)
    frame["target"] = np.where(frame.pop("label") == "angry", 0.5, -0.5)
    frame.to_csv(manifest, index=False)
    record = train(task="arousal", loss="squared_error", metric="ccc")
    assert rests_on(record, "task.arousal")
    assert record.metrics["test"].value("ccc") is not None
    assert record.baselines is not None
    assert record.baselines["mean"].value("ccc") == pytest.approx(0, abs=1e-9)
