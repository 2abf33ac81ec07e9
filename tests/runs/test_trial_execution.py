"""What a trial notes of its backbone, so that a report needs neither its card nor its suite."""

from pathlib import Path

import pytest
from quiet import Quiet
from transformers import HubertConfig, HubertModel

from backbones import BACKBONES
from harness.config.suite_loading import load_suite
from harness.data.prepared_corpus import cut_fold, prepare_corpus
from harness.reporting.report_building import build_report
from harness.results.store import ResultsStore
from harness.runs.planning import make_plan
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.suite_run import run_plan


@pytest.fixture
def own(tmp_path: Path) -> str:
    """The folder of a network of the user's own."""
    folder = str(tmp_path / "own")
    HubertModel(HubertConfig.from_dict(BACKBONES["tiny-wavlm"].architecture)).save_pretrained(
        folder
    )
    return folder


@pytest.mark.parametrize(
    ("init", "labels", "flag"),
    [("pretrained", None, "SEEN UNKNOWN"), ("random", [], "RANDOM")],
)
def test_the_report_knows_depth_and_what_is_unknown_from_the_record_alone(
    own: str, tmp_path: Path, init: str, labels: list[str] | None, flag: str
) -> None:
    changes = ("training.epochs=1", "cost=null", "matrix.finetune_layers=[1]")
    spec = f"{{name: own, kind: hubert, source: {own}, init: {init}}}"
    suite = load_suite("smoke", [f"backbones=[{spec}]", *changes])
    store = ResultsStore(tmp_path / "results")
    options = RuntimeOptions("cpu", offline=True)
    run_plan(make_plan(suite), store, Quiet(), options)
    (record,) = store.read_trials()
    assert (record.status, record.backbone_depth) == ("ok", 4), record.error
    assert record.emotion_labels_seen == labels
    (row,) = build_report("own", [record], [], store.read_predictions).rows
    assert row.depth_share == 1 / 4
    # one epoch is too short to learn what a probe finds at once
    assert [each for each in row.flags if each not in ("UNDER PROBE", "STOPPED EARLY")] == [flag]
    assert "STOPPED EARLY" in row.flags


def test_a_record_says_whom_and_what_it_learned_from(tmp_path: Path) -> None:
    changes = ("training.epochs=1", "cost=null", "matrix.finetune_layers=[0]")
    suite = load_suite("smoke", ["backbones=[tiny-wavlm]", *changes, "matrix.seed=[1, 2]"])
    store, plan = ResultsStore(tmp_path / "results"), make_plan(suite)
    run_plan(plan, store, Quiet(), RuntimeOptions("cpu", offline=True))
    one, other = store.read_trials()
    prepared = prepare_corpus(one.trial.corpus, None, Quiet())
    splits, by_id = cut_fold(one.trial, prepared).splits.named(), prepared.corpus.by_id()
    assert list(one.splits) == ["train", "dev", "test"]
    for name, ids in splits.items():
        assert one.splits[name].speakers == tuple(sorted({by_id[i].speaker for i in ids}))
    assert len({content.digest for content in one.splits.values()}) == 3
    assert one.splits == other.splits  # another seed learns from the same
    assert one.metrics["train"].utterances == len(splits["train"])
    assert one.sentences_shared is None  # nobody knows what made-up speakers say
    assert set(store.read_predictions(one)["split"]) == {"dev", "test"}
