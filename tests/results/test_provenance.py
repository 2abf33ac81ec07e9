"""What an outcome rests on: its own parts, and nothing that cannot change its numbers."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from harness.data.corpora import CORPORA
from harness.model.components import LOSSES, POOLINGS
from harness.results import provenance
from harness.results.provenance import (
    LAST_CODE_DIGEST,
    Provenance,
    cost_fingerprint,
    cost_holds,
    differences,
    fingerprint_key,
    fingerprint_of,
    frames_fingerprint,
    package_version,
)
from harness.results.records import Record
from harness.results.store import ResultsStore
from harness.results.trial_groups import group_trials
from harness.results.versions import VERSIONS
from harness.specs import BackboneSpec, CorpusSpec, HeadSpec, ProtocolSpec, TrainingSpec, Trial

WRITTEN_BEFORE = Path(__file__).with_name("schema3")
"""Records as the last program without fingerprints wrote them."""


def trial(**changes: Any) -> Trial:
    spec: dict[str, Any] = {
        "corpus": CorpusSpec(name="synthetic"),
        "protocol": ProtocolSpec(),
        "fold": 1,
        "backbone": BackboneSpec(name="tiny-wavlm", init="random"),
    }
    return Trial(**spec | changes)


def parts(**changes: Any) -> set[str]:
    return set(fingerprint_of(trial(**changes)).parts)


def as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """The versions of the program that wrote `before`, which every head's records rest on."""
    monkeypatch.setattr(provenance, "VERSIONS", {**VERSIONS, "head": 1, "training": 1})
    name = "attentive_statistics"
    monkeypatch.setitem(POOLINGS, name, replace(POOLINGS[name], version=1))


def raise_version(monkeypatch: pytest.MonkeyPatch, table: Any, name: str) -> None:
    card = table[name]
    monkeypatch.setitem(table, name, replace(card, version=card.version + 1))


def holds(record: Record) -> list[str]:
    assert record.digests is not None
    now = Provenance(record.digests, fingerprint_of(record.trial))
    return differences(record, record.trial, now)


@pytest.fixture
def before(tmp_path: Path) -> ResultsStore:
    return ResultsStore(Path(shutil.copytree(WRITTEN_BEFORE, tmp_path / "before")))


def test_records_of_the_last_program_without_fingerprints_count_as_version_1(
    before: ResultsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = ["head 1 → 2", "pooling.attentive_statistics 1 → 2", "training 1 → 2"]
    assert [holds(record) for record in before.read_trials()] == [since, since]
    as_it_was(monkeypatch)
    records = before.read_trials()
    assert [record.schema_version for record in records] == [3, 3]
    assert [holds(record) for record in records] == [[], []]


def test_records_form_rows_though_defaults_have_changed_since(before: ResultsStore) -> None:
    records = before.read_trials()
    assert any(record.trial_id != record.trial.trial_id for record in records)
    assert {r.trial_id for group in group_trials(records) for r in group.finished} == {
        record.trial_id for record in records
    }


def test_records_of_an_unknown_program_are_trained_again(before: ResultsStore) -> None:
    for path in before.trials.glob("*/record.json"):
        path.write_text(path.read_text().replace(LAST_CODE_DIGEST, "f" * 64))
    assert [holds(record) for record in before.read_trials()] == [["an earlier program"]] * 2


@pytest.mark.parametrize(
    ("schema", "lacking"),
    [(1, ["frames_from", "backbone_depth", "emotion_labels_seen"]), (2, [])],
)
def test_records_of_older_schemas_are_read(
    before: ResultsStore, schema: int, lacking: list[str]
) -> None:
    for path in before.trials.glob("*/record.json"):
        content = json.loads(path.read_text())
        kept = {name: value for name, value in content.items() if name not in lacking}
        path.write_text(json.dumps(kept | {"schema_version": schema}))
    records = before.read_trials()
    assert [record.schema_version for record in records] == [schema, schema]
    assert {record.metrics["test"].utterances for record in records} == {64}


def test_costs_of_the_last_program_without_fingerprints_count_as_version_1(
    before: ResultsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_was(monkeypatch)
    (cost,) = before.read_costs()
    assert cost_holds(cost, cost_fingerprint(cost.trial))
    other = cost.model_copy(update={"code": "f" * 64})
    assert not cost_holds(other, cost_fingerprint(cost.trial))


def test_a_trial_rests_on_its_own_parts_alone() -> None:
    found = parts(head=HeadSpec(pooling="mean"), loss="dr")
    assert {"pooling.mean", "loss.dr", "reader.synthetic", "backbone.wavlm"} <= found
    assert not {name for name in found if name.partition(".")[0] in ("pooling", "loss")} - {
        "pooling.mean",
        "loss.dr",
    }


def test_parts_that_a_trial_does_not_use_are_not_its_parts() -> None:
    assert not {"labels", "subset"} & parts()
    assert "labels" in parts(corpus=CorpusSpec(name="synthetic", labels={"sad": "low"}))
    assert "subset" in parts(limit_utterances=20)
    assert "frames" in parts()
    assert "frames" not in parts(training=TrainingSpec(frozen_mode="train"))


@pytest.mark.parametrize(
    ("backbone", "needs", "needs_not"),
    [
        ("tiny-emotion2vec", "funasr", "transformers"),
        ("tiny-wavlm", "transformers", "funasr"),
    ],
)
def test_a_trial_rests_on_the_packages_of_its_backbone(
    backbone: str, needs: str, needs_not: str
) -> None:
    spec = BackboneSpec(name=backbone, init="random")
    packages = fingerprint_of(trial(backbone=spec)).packages
    assert packages["torch"] == metadata.version("torch").partition("+")[0]
    assert needs in packages
    assert needs_not not in packages


def test_another_version_of_a_package_is_named(
    before: ResultsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = before.read_trials()[0]
    stated = fingerprint_of(record.trial)
    record = record.model_copy(update={"fingerprint": stated})
    monkeypatch.setattr(
        provenance,
        "package_version",
        lambda name: "99" if name == "torch" else package_version(name),
    )
    assert holds(record) == [f"torch {stated.packages['torch']} → 99"]


def test_a_raised_version_voids_what_rests_on_the_part(monkeypatch: pytest.MonkeyPatch) -> None:
    dr, weighted = trial(loss="dr"), trial()
    old = {each.trial_id: fingerprint_of(each) for each in (dr, weighted)}
    raise_version(monkeypatch, LOSSES, "dr")
    assert provenance.changes_between(old[dr.trial_id], fingerprint_of(dr)) == ["loss.dr 1 → 2"]
    assert fingerprint_of(weighted) == old[weighted.trial_id]


def test_costs_rest_on_no_reader_and_on_the_loss_of_their_step_alone(
    before: ResultsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_was(monkeypatch)
    (cost,) = before.read_costs()
    for name in set(LOSSES) - {"cross_entropy"}:
        raise_version(monkeypatch, LOSSES, name)
    for name in CORPORA:
        raise_version(monkeypatch, CORPORA, name)
    assert cost_holds(cost, cost_fingerprint(cost.trial))
    raise_version(monkeypatch, LOSSES, "cross_entropy")
    assert not cost_holds(cost, cost_fingerprint(cost.trial))


def test_costs_rest_on_the_pooling_of_their_head(
    before: ResultsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cost,) = before.read_costs()
    raise_version(monkeypatch, POOLINGS, cost.trial.head.pooling)
    assert not cost_holds(cost, cost_fingerprint(cost.trial))


def test_kept_frames_rest_on_decoding_extraction_and_their_backbone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = BackboneSpec(name="tiny-wavlm", init="random")
    old = fingerprint_key(frames_fingerprint(spec))
    raise_version(monkeypatch, POOLINGS, "mean")
    monkeypatch.setattr(provenance, "VERSIONS", {**VERSIONS, "training": 3, "head": 3})
    assert fingerprint_key(frames_fingerprint(spec)) == old
    for part in ("decoding", "frames"):
        monkeypatch.setattr(provenance, "VERSIONS", {**VERSIONS, part: 2})
        assert fingerprint_key(frames_fingerprint(spec)) != old


def test_scores_that_an_earlier_version_of_their_task_gave_alike_still_count(
    before: ResultsStore,
) -> None:
    """Macro-F1 divides by the number of all classes now: alike where each of them occurs."""
    record = before.read_trials()[0]
    stated = provenance.fingerprint_of(record.trial)
    older = stated.model_copy(update={"parts": stated.parts | {"task.classification": 1}})
    record = record.model_copy(update={"fingerprint": older})
    assert holds(record) == []
    dev = record.metrics["dev"]
    none = replace(dev.per_class["sad"], support=0)
    lacking = dev.model_copy(update={"per_class": dev.per_class | {"sad": none}})
    record = record.model_copy(update={"metrics": record.metrics | {"dev": lacking}})
    assert holds(record) == ["task.classification 1 → 2"]


def test_a_default_that_has_changed_since_voids_what_rested_on_it(
    before: ResultsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_was(monkeypatch)
    record = before.read_trials()[0]
    assert record.digests is not None
    head = record.trial.head.model_copy(update={"dropout": 0.25})
    planned = record.trial.model_copy(update={"head": head})
    now = Provenance(record.digests, fingerprint_of(planned))
    assert differences(record, planned, now) == ["head.dropout 0.1 → 0.25"]


def test_a_corpus_that_has_moved_voids_nothing(
    before: ResultsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_was(monkeypatch)
    record = before.read_trials()[0]
    assert record.digests is not None
    corpus = record.trial.corpus.model_copy(update={"root": Path("elsewhere")})
    planned = record.trial.model_copy(update={"corpus": corpus})
    now = Provenance(record.digests, fingerprint_of(planned))
    assert differences(record, planned, now) == []


def test_a_part_that_was_split_off_another_voids_nothing() -> None:
    whole = fingerprint_of(trial())
    before = whole.model_copy(
        update={"parts": {name: n for name, n in whole.parts.items() if name != "batching"}}
    )
    assert provenance.changes_between(before, whole) == []
    raised = whole.model_copy(update={"parts": whole.parts | {"batching": 2}})
    assert provenance.changes_between(before, raised) == ["batching 1 → 2"]
