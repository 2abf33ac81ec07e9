"""The comparison: cells, baselines and marks, in raw numbers."""

from statistics import fmean, stdev
from typing import Any

import pandas as pd
import pytest

from backbones import BACKBONES
from harness.reporting.comparison_table import comparison, failures
from harness.results.flags import flags
from harness.results.statistics import intervals
from harness.specs import BackboneSpec, CorpusSpec, ProtocolSpec

EVERY_CORPUS = {"ravdess": "", "emodb": "", "calls": "manifest", "mesd": "emobox"}


def compare(run: Any, planned: Any = ()) -> pd.DataFrame:
    return comparison(run.records, run.costs, run.predictions, planned)


def test_one_row_per_backbone_and_depth_in_the_order_of_the_table(run: Any) -> None:
    table = compare(run)
    assert list(zip(table["backbone"], table["finetune_layers"], strict=True)) == [
        ("wavlm-base", 0),
        ("wavlm-base", 3),
        ("emotion2vec_plus_base", 0),
        ("emotion2vec_plus_base", 3),
        ("chance", None),
        ("majority", None),
    ]
    assert set(table["folds"]) == {2}
    assert list(table["seeds"].dropna()) == [2, 2, 2, 2]
    assert set(table["flags"]) == {""}


def test_a_row_agrees_with_loops_over_its_records(run: Any) -> None:
    row = compare(run).iloc[0]
    own = [r for r in run.records if r.trial.describe().startswith("ravdess") and _is_row(r)]
    value = {(r.trial.fold, r.trial.seed): r.metrics["test"].uar for r in own}
    by_fold = [fmean(value[fold, seed] for seed in (1, 2)) for fold in (1, 2)]
    by_seed = [fmean(value[fold, seed] for fold in (1, 2)) for seed in (1, 2)]
    assert row["uar"] == pytest.approx(fmean(value.values()))
    assert row["uar_spread_folds"] == pytest.approx(stdev(by_fold))
    assert row["uar_spread_seeds"] == pytest.approx(stdev(by_seed))
    wanted = intervals(
        [
            [run.saved[r.trial_id].query("split == 'test'") for r in own if r.trial.seed == seed]
            for seed in (1, 2)
        ]
    )
    assert wanted is not None
    assert row["uar_low"] == pytest.approx(wanted["uar"].low)
    assert row["macro_f1_high"] == pytest.approx(wanted["macro_f1"].high)
    assert row["trainable_share"] == pytest.approx(1.5 / 94)


def _is_row(record: Any) -> bool:
    return record.trial.backbone.name == "wavlm-base" and record.trial.finetune_layers == 0


def test_the_table_is_the_same_whatever_the_order_of_records(run: Any) -> None:
    table = compare(run)
    run.records.reverse()
    pd.testing.assert_frame_equal(compare(run), table)


def test_guessing_stands_under_each_corpus(run: Any, trial: Any) -> None:
    run.add(trial(corpus=CorpusSpec(name="emodb")))
    table = compare(run)
    assert list(table["corpus"]) == ["ravdess"] * 6 + ["emodb"] * 3
    assert list(table["backbone"][-2:]) == ["chance", "majority"]
    assert table["uar"].iloc[-2] == pytest.approx(1 / 3)
    assert table["peak_rss_bytes"].iloc[-2:].isna().all()


def test_what_varies_within_a_backbone_and_depth_becomes_a_column(
    empty_run: Any, trial: Any
) -> None:
    for loss in ("dr", "cross_entropy"):
        empty_run.add(trial(loss=loss))
    empty_run.add(trial("logmel", loss="dr"))
    table = compare(empty_run)
    assert list(table.columns[:4]) == ["corpus", "backbone", "finetune_layers", "loss"]
    assert list(table["loss"][:3]) == ["cross_entropy", "dr", "dr"]
    assert pd.isna(table["loss"].iloc[-1])


def test_trials_under_another_protocol_are_never_averaged_together(
    empty_run: Any, trial: Any
) -> None:
    for folds in (2, 3):
        empty_run.add(trial(protocol=ProtocolSpec(folds=folds)))
    empty_run.add(trial(protocol=ProtocolSpec(folds=2, only_folds=(2,)), fold=2))
    table = compare(empty_run)
    assert list(table["protocol.folds"][:2]) == [2, 3]
    assert list(table["trials"][:2]) == [2, 1]


@pytest.mark.parametrize(
    ("changes", "outcome", "mark"),
    [
        ({"backbone": BackboneSpec(name="wavlm-base", init="random")}, {}, "RANDOM"),
        ({}, {"random_weights": True}, "RANDOM"),
        ({"limit_utterances": 40}, {}, "LIMITED"),
        ({}, {"partial_corpus": True}, "PARTIAL"),
        ({}, {"speaker_overlap": True}, "SPEAKER OVERLAP"),
    ],
)
def test_whatever_limits_trust_is_marked(
    empty_run: Any, trial: Any, changes: Any, outcome: Any, mark: str
) -> None:
    empty_run.add(trial().model_copy(update=changes), **outcome)
    assert compare(empty_run)["flags"].iloc[0] == mark


def test_a_random_backbone_is_marked_even_if_its_trials_failed(empty_run: Any, trial: Any) -> None:
    spec = BackboneSpec(name="wavlm-base", init="random")
    empty_run.add(trial().model_copy(update={"backbone": spec}), status="failed")
    assert compare(empty_run)["flags"].iloc[0] == "RANDOM, INCOMPLETE 0 of 1"


def test_failed_and_missing_trials_make_a_cell_incomplete(run: Any, trial: Any) -> None:
    run.add(trial(fold=3, finetune_layers=0), status="timeout", error="TrialTimeout: 60 s")
    missing = trial("wavlm-base", fold=4, finetune_layers=3)
    unseen = trial("wavlm-large", fold=1)
    table = compare(run, planned=[missing, unseen]).set_index(["backbone", "finetune_layers"])
    assert table["flags"]["wavlm-base", 0] == "INCOMPLETE 4 of 5"
    assert table["flags"]["wavlm-base", 3] == "INCOMPLETE 4 of 5"
    assert table["flags"]["wavlm-large", 0] == "INCOMPLETE 0 of 1"
    assert pd.isna(table["uar"]["wavlm-large", 0])
    assert table["folds"]["wavlm-base", 0] == 2


def test_failures_are_listed_with_the_last_line_of_their_error(run: Any, trial: Any) -> None:
    failed = run.add(trial(fold=3), status="oom", error="Traceback\n  line\nMemoryError: 8 GiB")
    (row,) = failures(run.records).to_dict("records")
    assert row["trial_id"] == failed.trial_id
    assert row["status"] == "oom"
    assert row["error"] == "MemoryError: 8 GiB"


def test_without_predictions_there_is_no_interval(run: Any) -> None:
    run.saved.pop(run.records[-1].trial_id)
    table = compare(run).set_index(["backbone", "finetune_layers"])
    assert pd.isna(table["uar_low"]["wavlm-base", 0])
    assert not pd.isna(table["uar_low"]["wavlm-base", 3])


@pytest.mark.parametrize(
    ("depth", "layers", "share"),
    [(24, 3, 3 / 24), (24, "all", 1.0), (6, 0, 0.0), (0, 0, None), (None, 3, None)],
)
def test_the_depth_share_counts_the_layers_that_the_record_tells(
    empty_run: Any, trial: Any, depth: int | None, layers: Any, share: float | None
) -> None:
    own = BackboneSpec(name="mine", kind="hubert", source="org/mine")  # in no table of this process
    made = trial(finetune_layers=layers).model_copy(update={"backbone": own})
    empty_run.add(made, backbone_depth=depth)
    found = compare(empty_run)["depth_share"].iloc[0]
    assert pd.isna(found) if share is None else found == pytest.approx(share)


def test_a_failed_trial_tells_no_depth(empty_run: Any, trial: Any) -> None:
    empty_run.add(trial(), status="failed")
    assert pd.isna(compare(empty_run)["depth_share"].iloc[0])


@pytest.mark.parametrize(
    ("corpus", "labels", "marked"),
    [
        ({"name": "ravdess"}, ["RAVDESS", "EMO-DB"], True),
        ({"name": "emodb"}, ["RAVDESS", "EMO-DB"], True),
        ({"name": "acted", "kind": "emodb"}, ["EMO-DB"], True),
        ({"name": "my_crema-d", "kind": "manifest"}, ["CREMA-D"], True),
        ({"name": "esd", "kind": "emobox"}, ["the other academic corpora of EmoBox"], True),
        ({"name": "call_centre", "kind": "manifest"}, ["the other corpora of EmoBox"], False),
        ({"name": "call_centre", "kind": "manifest"}, ["pseudo-labels from a network"], True),
        ({"name": "emodb"}, ["RAVDESS"], False),
        ({"name": "ravdess"}, [], False),
        ({"name": "ravdess"}, None, False),
    ],
)
def test_a_backbone_that_has_seen_a_corpuss_labels_is_marked(
    empty_run: Any, trial: Any, corpus: Any, labels: Any, marked: bool
) -> None:
    empty_run.add(trial(corpus=CorpusSpec(**corpus)), emotion_labels_seen=labels)
    table = compare(empty_run)
    assert list(table["flags"]) == ["LABELS SEEN" if marked else "", "", ""]


@pytest.mark.parametrize(
    ("backbone", "corpora"),
    [
        ("emotion2vec_plus_seed", ["ravdess", "emodb", "mesd"]),
        ("emotion2vec_plus_base", [*EVERY_CORPUS]),
        ("emotion2vec_base", []),
        ("wavlm-base", []),
    ],
)
def test_what_the_cards_say_is_recognised(
    empty_run: Any, trial: Any, backbone: str, corpora: list[str]
) -> None:
    seen = list(BACKBONES[backbone].emotion_labels_seen)
    for name, kind in EVERY_CORPUS.items():
        empty_run.add(trial(corpus=CorpusSpec(name=name, kind=kind)), emotion_labels_seen=seen)
    table = compare(empty_run)
    assert list(table[table["flags"] == "LABELS SEEN"]["corpus"].unique()) == corpora


def test_the_labels_are_those_of_the_corpus_scored_on(empty_run: Any, trial: Any) -> None:
    record = empty_run.add(trial(), emotion_labels_seen=["EMO-DB"])
    assert flags([record.trial], [record]) == []
    assert flags([record.trial], [record], CorpusSpec(name="emodb")) == ["LABELS SEEN"]
