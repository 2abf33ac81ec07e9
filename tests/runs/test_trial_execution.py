"""What a trial notes of its backbone, so that a report needs neither its card nor its suite."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from quiet import Quiet
from transformers import HubertConfig, HubertModel

from backbones import BACKBONES
from backbones.plugins import card_from_config
from harness.config.matrix import expand
from harness.config.suite_loading import load_suite
from harness.reporting.report_building import build_report
from harness.results.store import ResultsStore
from harness.runs.local import run_suite
from harness.runs.runtime_options import RuntimeOptions


@pytest.fixture
def own(tmp_path: Path) -> Iterator[str]:
    """A backbone that the table knows during this test only; it has seen the corpus's labels."""
    folder = str(tmp_path / "own")
    HubertModel(HubertConfig.from_dict(BACKBONES["tiny-wavlm"].architecture)).save_pretrained(
        folder
    )
    card = card_from_config("own", "hubert", folder)
    BACKBONES["own"] = replace(card, emotion_labels_seen=("Synthetic",))
    yield "own"
    BACKBONES.pop("own", None)


@pytest.mark.parametrize(
    ("init", "labels", "flag"),
    [("pretrained", ["Synthetic"], "LABELS SEEN"), ("random", [], "RANDOM")],
)
def test_the_report_knows_depth_and_labels_from_the_record_alone(
    own: str, tmp_path: Path, init: str, labels: list[str], flag: str
) -> None:
    changes = ("training.epochs=1", "cost=null", "matrix.finetune_layers=[1]")
    suite = load_suite("smoke", [f"backbones=[{{name: {own}, init: {init}}}]", *changes])
    store = ResultsStore(tmp_path / "results")
    trials = expand(suite, lambda spec: (1,))
    run_suite(suite, trials, (), store, Quiet(), RuntimeOptions("cpu", offline=True))
    del BACKBONES[own]
    (record,) = store.read_trials()
    assert (record.status, record.backbone_depth) == ("ok", 4), record.error
    assert record.emotion_labels_seen == labels
    (row,) = build_report("own", [record], [], store.read_predictions).rows
    assert row.depth_share == 1 / 4
    assert row.flags == (flag,)
