"""What a trial notes of its backbone, so that a report needs neither its card nor its suite."""

from dataclasses import replace
from pathlib import Path

import pytest
from quiet import Quiet
from transformers import HubertConfig, HubertModel

from backbones import BACKBONES
from harness.engines.local import run_suite
from harness.machine import Machine
from harness.records.store import Store
from harness.report.comparison import comparison
from harness.suite.backbone_card import card_of
from harness.suite.load import load_suite
from harness.suite.matrix import expand


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A network of the user's own, whose card is made to say that it saw the corpus's labels."""
    folder = str(tmp_path / "own")
    HubertModel(HubertConfig.from_dict(BACKBONES["tiny-wavlm"].architecture)).save_pretrained(
        folder
    )
    monkeypatch.setattr(
        "harness.heads.build.card_of",
        lambda spec: replace(card_of(spec), emotion_labels_seen=("Synthetic",)),
    )
    return folder


@pytest.mark.parametrize(
    ("init", "labels", "mark"),
    [("pretrained", ["Synthetic"], "LABELS SEEN"), ("random", [], "RANDOM")],
)
def test_the_report_knows_depth_and_labels_from_the_record_alone(
    own: str, tmp_path: Path, init: str, labels: list[str], mark: str
) -> None:
    changes = ("training.epochs=1", "cost=null", "matrix.finetune_layers=[1]")
    spec = f"{{name: own, kind: hubert, source: {own}, init: {init}}}"
    suite = load_suite("smoke", [f"backbones=[{spec}]", *changes])
    store = Store(tmp_path / "results")
    trials = expand(suite, lambda spec: (1,))
    run_suite(suite, trials, (), store, Quiet(), Machine("cpu", offline=True))
    (record,) = store.read_trials()
    assert (record.status, record.backbone_depth) == ("ok", 4), record.error
    assert record.emotion_labels_seen == labels
    row = comparison([record], [], store.read_predictions).iloc[0]
    assert row["depth_share"] == 1 / 4
    assert row["marks"] == mark
