"""What a report says: rows, baselines, flags, failures and curves, in raw numbers."""

from dataclasses import FrozenInstanceError, replace
from math import exp, log
from statistics import fmean, stdev
from typing import Any

import pandas as pd
import pytest
from made_up import FIT, make_predictions
from scipy.stats import t as student

from harness.reporting.flag_notes import flag_notes
from harness.reporting.report_building import build_report
from harness.reporting.report_model import ReportRow
from harness.results.group_scores import group_scores
from harness.results.records import ProbeScores
from harness.results.seen_statements import SeenStatement, SeenStatements
from harness.specs import BackboneSpec, CorpusSpec, ProtocolSpec
from harness.tasks import TASKS
from harness.tasks.classification.metrics import score_predictions


def row_of(run: Any, backbone: str, layers: Any, planned: Any = ()) -> ReportRow:
    """The only row of a backbone at a depth."""
    rows = run.report(planned).rows
    (found,) = [row for row in rows if (row.backbone, row.finetune_layers) == (backbone, layers)]
    return found


def test_one_row_per_backbone_and_depth_in_the_order_of_the_table(run: Any) -> None:
    rows = run.report().rows
    assert [(row.backbone, row.finetune_layers) for row in rows] == [
        ("wavlm-base", 0),
        ("wavlm-base", 3),
        ("emotion2vec_plus_base", 0),
        ("emotion2vec_plus_base", 3),
    ]
    assert {(row.folds, row.seeds, row.trials, row.planned) for row in rows} == {(2, 2, 4, 4)}
    assert [row.flags for row in rows] == [(), (), ("LABELS SEEN",), ("LABELS SEEN",)]


def test_a_report_cannot_be_changed(run: Any) -> None:
    with pytest.raises(FrozenInstanceError):
        run.report().title = "another"


def test_a_row_agrees_with_loops_over_its_records(run: Any) -> None:
    row = run.report().rows[0]
    own = [r for r in run.records if _is_row(r)]
    value = {(r.trial.fold, r.trial.seed): r.metrics["test"].uar for r in own}
    by_fold = [fmean(value[fold, seed] for seed in (1, 2)) for fold in (1, 2)]
    by_seed = [fmean(value[fold, seed] for fold in (1, 2)) for seed in (1, 2)]
    assert row.scores["uar"].mean == pytest.approx(fmean(value.values()))
    assert row.scores["uar"].spread_folds == pytest.approx(stdev(by_fold))
    assert row.scores["uar"].spread_seeds == pytest.approx(stdev(by_seed))
    assert row.scores["weighted_f1"].interval is None
    assert row.trainable_share == pytest.approx(1.5 / 94)


def test_the_interval_is_that_of_a_jackknife_over_speakers_in_plain_loops(run: Any) -> None:
    records = [r for r in run.records if _is_row(r) and r.trial.seed == 1]
    tests = [run.saved[r.trial_id].query("split == 'test'") for r in records]
    own = [_rights_of_speakers(frame) for frame in tests]
    speakers = sorted({name for rights in own for name in rights})
    whole, *without = (
        log(score / (1 - score))
        for score in (
            _uar_of(own, tuple(name for name in speakers if name != left_out))
            for left_out in (None, *speakers)
        )
    )
    error = (len(without) - 1) / len(without) * sum((one - fmean(without)) ** 2 for one in without)
    reach = student.ppf(0.975, len(without) - 1) * error**0.5
    found = group_scores(records, run.predictions)["uar"].interval
    assert found is not None
    expected = [1 / (1 + exp(-end)) for end in (whole - reach, whole + reach)]
    assert [found.low, found.high] == pytest.approx(expected)


Rights = dict[str, list[tuple[str, bool]]]


def _rights_of_speakers(frame: pd.DataFrame) -> Rights:
    """For each speaker, the emotion of every utterance and whether it was found."""
    found = frame.filter(like="p_").idxmax(axis=1).str[2:]
    rights: Rights = {}
    for speaker, truth, guess in zip(frame["speaker"], frame["label"], found, strict=True):
        rights.setdefault(speaker, []).append((truth, truth == guess))
    return rights


def _uar_of(frames: list[Rights], speakers: tuple[str, ...]) -> float:
    """Mean over folds, a fold weighing by how many of the speakers are its own."""
    total = 0.0
    for rights in frames:
        of_emotion: dict[str, list[bool]] = {}
        for truth, right in (each for name in speakers for each in rights.get(name, ())):
            of_emotion.setdefault(truth, []).append(right)
        if of_emotion:
            weight = sum(name in rights for name in speakers) / len(speakers)
            total += weight * fmean(map(fmean, of_emotion.values()))
    return total


def test_rows_are_ranked_by_the_metric_that_the_suite_names(run: Any) -> None:
    (by_uar,) = run.report().rankings
    (by_f1,) = build_report(
        "made_up", run.records, [], run.predictions, primary="macro_f1"
    ).rankings
    assert (by_uar.metric.name, by_f1.metric.name) == ("uar", "macro_f1")
    means = [row.score.mean for row in by_f1.rows]
    assert means == sorted(means, reverse=True)
    groups = {row.name: row.group for row in by_uar.rows}
    assert {row.name: row.rank_group for row in run.report().rows} == groups


def test_a_row_that_lacks_a_seed_is_not_ranked(run: Any, trial: Any) -> None:
    """It was tested on the same utterances as the others."""
    (found,) = run.report([trial(seed=3)]).rankings
    assert found.left_out == (("wavlm-base · 0 layers", "trials failed or are missing"),)
    assert len(found.rows) == 3


def test_a_mean_lies_in_its_interval_whatever_seeds_each_fold_has(
    empty_run: Any, trial: Any
) -> None:
    for fold, seeds in ((1, (1, 2, 3, 4)), (2, (1,)), (3, (1,))):
        for seed in seeds:
            made = empty_run.add(trial(fold=fold, seed=seed, protocol=ProtocolSpec(folds=3)))
            if fold == 1:
                _all_right(empty_run, made)
    score = empty_run.report().rows[0].scores["accuracy"]
    assert score.interval.low <= score.mean <= score.interval.high


def _all_right(run: Any, record: Any) -> None:
    """Make a trial's predictions, and its score, perfect."""
    frame = run.saved[record.trial_id]
    for name in record.classes:
        frame[f"p_{name}"] = (frame["label"] == name).astype(float)
    scores = score_predictions(frame[frame["split"] == "test"])
    place = run.records.index(record)
    run.records[place] = record.model_copy(update={"metrics": {"test": scores}})


def _is_row(record: Any) -> bool:
    return record.trial.backbone.name == "wavlm-base" and record.trial.finetune_layers == 0


def test_the_rows_are_the_same_whatever_the_order_of_records(run: Any) -> None:
    report = run.report()
    run.records.reverse()
    assert run.report().rows == report.rows


def test_rows_that_cannot_be_set_side_by_side_say_so(run: Any, trial: Any) -> None:
    run.add(trial(finetune_layers=1, fold=1))
    report = run.report()
    flags = {(row.backbone, row.finetune_layers): row.flags for row in report.rows}
    assert flags["wavlm-base", 1] == ("FOLDS DIFFER",)
    assert flags["wavlm-base", 0] == ()
    notes = [*flag_notes(report.rows[1].flags), *report.footnotes]
    assert any(note.startswith("FOLDS DIFFER: ") for note in notes)
    assert not any(note.startswith("MIXED") for note in notes)


def test_test_splits_without_a_class_are_named(empty_run: Any, trial: Any) -> None:
    for fold in (1, 2):
        record = empty_run.add(trial(fold=fold))
        if fold == 2:
            frame = empty_run.saved[record.trial_id]
            scores = score_predictions(
                frame[(frame["split"] == "test") & (frame["label"] != "sad")]
            )
            empty_run.records[-1] = record.model_copy(update={"metrics": {"test": scores}})
    (note,) = (n for n in empty_run.report().footnotes if n.startswith("Test splits without"))
    assert note.endswith("counts as 0: ravdess fold 2 (sad).")


def test_baselines_are_not_rows(run: Any, trial: Any) -> None:
    run.add(trial(corpus=CorpusSpec(name="emodb")))
    report = run.report()
    assert [row.corpus for row in report.rows] == ["ravdess"] * 4 + ["emodb"]
    assert not {row.backbone for row in report.rows} & {"chance", "majority"}
    assert [(row.corpus, row.baseline) for row in report.baselines] == [
        (corpus, baseline)
        for corpus in ("ravdess", "emodb")
        for baseline in ("chance", "majority", "test majority")
    ]
    assert report.baselines[3].scores["uar"].mean == pytest.approx(1 / 3)
    assert report.baselines[0].folds == 2


def test_guessing_stands_under_the_rows_of_each_corpus(run: Any, trial: Any) -> None:
    run.add(trial(corpus=CorpusSpec(name="emodb")))
    report = run.report()
    assert report.rows_with_baselines() == (
        *report.rows[:4], *report.baselines[:3], *report.rows[4:], *report.baselines[3:],
    )  # fmt: skip


def test_guessing_that_an_earlier_program_did_not_know_has_no_row(run: Any, trial: Any) -> None:
    record = run.records[0]
    known = {name: scores for name, scores in record.baselines.items() if name != "test majority"}
    run.records[0] = record.model_copy(update={"baselines": known})
    run.records = [
        r for r in run.records if r.trial.fold != record.trial.fold or r is run.records[0]
    ]
    assert [row.baseline for row in run.report().baselines] == ["chance", "majority"]


def test_what_varies_within_a_backbone_and_depth_becomes_an_axis(
    empty_run: Any, trial: Any
) -> None:
    for loss in ("dr", "cross_entropy"):
        empty_run.add(trial(loss=loss))
    empty_run.add(trial("logmel", loss="dr"))
    report = empty_run.report()
    assert report.axis_names == ("loss",)
    assert [row.axes["loss"] for row in report.rows] == ["cross_entropy", "dr", "dr"]


def test_trials_under_another_protocol_are_never_averaged_together(
    empty_run: Any, trial: Any
) -> None:
    for folds in (2, 3):
        empty_run.add(trial(protocol=ProtocolSpec(folds=folds)))
    empty_run.add(trial(protocol=ProtocolSpec(folds=2, only_folds=(2,)), fold=2))
    rows = empty_run.report().rows
    assert [(row.axes["protocol.folds"], row.trials) for row in rows] == [(2, 2), (3, 1)]


def test_trials_of_another_task_are_never_averaged_together(
    empty_run: Any, trial: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = TASKS["classification"]
    monkeypatch.setitem(TASKS, "detection", replace(card, name="detection"))  # type: ignore[arg-type]
    empty_run.add(trial())
    empty_run.add(trial().model_copy(update={"task": "detection"}))
    report = empty_run.report()
    assert [row.task for row in report.rows] == ["classification", "detection"]
    assert report.tasks == ("classification", "detection")
    assert [row.task for row in report.baselines] == ["classification"] * 3 + ["detection"] * 3


@pytest.mark.parametrize(
    ("changes", "outcome", "flag"),
    [
        ({"backbone": BackboneSpec(name="wavlm-base", init="random")}, {}, "RANDOM"),
        ({}, {"random_weights": True}, "RANDOM"),
        ({"limit_utterances": 40}, {}, "LIMITED"),
        ({}, {"partial_corpus": True}, "PARTIAL"),
        ({}, {"speaker_overlap": True}, "SPEAKER OVERLAP"),
    ],
)
def test_whatever_limits_trust_is_flagged(
    empty_run: Any, trial: Any, changes: Any, outcome: Any, flag: str
) -> None:
    empty_run.add(trial().model_copy(update=changes), **outcome)
    assert empty_run.report().rows[0].flags == (flag,)


def test_a_random_backbone_is_flagged_even_if_its_trials_failed(empty_run: Any, trial: Any) -> None:
    spec = BackboneSpec(name="wavlm-base", init="random")
    empty_run.add(trial().model_copy(update={"backbone": spec}), status="failed")
    assert empty_run.report().rows[0].flags == ("RANDOM", "INCOMPLETE 0 of 1")


def test_failed_and_missing_trials_make_a_row_incomplete(run: Any, trial: Any) -> None:
    run.add(trial(fold=3, finetune_layers=0), status="timeout", error="TrialTimeout: 60 s")
    planned = [trial("wavlm-base", fold=4, finetune_layers=3), trial("wavlm-large", fold=1)]
    with_failed = row_of(run, "wavlm-base", 0, planned)
    assert with_failed.flags == ("INCOMPLETE 4 of 5",)
    assert with_failed.folds == 2
    assert row_of(run, "wavlm-base", 3, planned).flags == ("INCOMPLETE 4 of 5",)
    missing = row_of(run, "wavlm-large", 0, planned)
    assert (missing.flags, missing.scores, missing.folds) == (("INCOMPLETE 0 of 1",), {}, 0)


def test_failures_are_listed_with_the_last_line_of_their_error(run: Any, trial: Any) -> None:
    failed = run.add(trial(fold=3), status="oom", error="Traceback\n  line\nMemoryError: 8 GiB")
    (failure,) = run.report().failures
    assert failure.trial_id == failed.trial_id
    assert failure.status == "oom"
    assert failure.error == "MemoryError: 8 GiB"


def test_a_failure_without_message_says_so(run: Any, trial: Any) -> None:
    run.add(trial(fold=3), status="timeout", error=None)
    (failure,) = run.report().failures
    assert failure.line().endswith("seed 1: timeout: no message")


def test_without_predictions_there_is_no_interval(run: Any) -> None:
    run.saved.pop(run.records[-1].trial_id)
    assert row_of(run, "wavlm-base", 0).scores["uar"].interval is None
    assert row_of(run, "wavlm-base", 3).scores["uar"].interval is not None


def test_curves_carry_what_records_carry(empty_run: Any, trial: Any) -> None:
    second = empty_run.add(trial(seed=2, loss="dr"), fit=FIT)
    first = empty_run.add(trial(seed=1), fit=FIT)
    empty_run.add(trial(fold=2), status="failed", error="ValueError: no")
    curves = {curve.trial_id: curve for curve in empty_run.report().curves}
    assert set(curves) == {first.trial_id, second.trial_id}
    for record in (first, second):
        curve = curves[record.trial_id]
        assert (list(curve.epochs), curve.best_epoch) == (record.fit.curve, record.fit.best_epoch)
        assert (curve.corpus, curve.fold, curve.seed) == ("ravdess", 1, record.trial.seed)
        assert curve.axes == {"loss": record.trial.loss}


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
    assert empty_run.report().rows[0].depth_share == share


def test_a_failed_trial_tells_no_depth(empty_run: Any, trial: Any) -> None:
    empty_run.add(trial(), status="failed")
    assert empty_run.report().rows[0].depth_share is None


def test_what_a_backbone_has_seen_marks_its_row_and_its_probe_and_no_guess(
    empty_run: Any, trial: Any
) -> None:
    for backbone in ("emotion2vec_plus_seed", "wavlm-base"):
        scores = score_predictions(make_predictions(trial(backbone)))
        probe = ProbeScores(kind="knn", setting="k = 1", settings=1, metrics={"test": scores})
        empty_run.add(trial(backbone), probe=probe)
    report = empty_run.report()
    flags = {row.backbone: row.flags for row in report.rows}
    assert flags == {"wavlm-base": (), "emotion2vec_plus_seed": ("LABELS SEEN",)}
    assert {row.baseline: row.flags for row in report.baselines if row.flags} == {
        "probe on emotion2vec_plus_seed": ("LABELS SEEN",)
    }


def test_what_a_suite_says_later_marks_what_was_there_before(empty_run: Any, trial: Any) -> None:
    own = {"backbone": BackboneSpec(name="mine", kind="hubert", source="org/mine")}
    corpus = CorpusSpec(name="acted", kind="manifest")
    empty_run.add(trial().model_copy(update=own | {"corpus": corpus}), status="failed")
    empty_run.add(trial("emotion2vec_base", corpus=corpus))
    unknown, heard = empty_run.report().rows[::-1]
    assert unknown.flags == ("SEEN UNKNOWN", "INCOMPLETE 0 of 1")
    assert heard.flags == ()
    nothing = SeenStatement(audio_seen=(), emotion_labels_seen=())
    said = SeenStatements(known_as={"acted": "meld"}, backbones={"mine": nothing})
    known, heard = empty_run.report(said=said).rows[::-1]
    assert known.flags == ("INCOMPLETE 0 of 1",)
    assert (heard.flags, heard.seen_before.counts_as) == (("AUDIO SEEN",), ("MELD",))


def test_unstable_speeds_flag_the_row(run: Any, cost: Any) -> None:
    (workload, *others) = cost().points
    scattered = workload.model_copy(update={"batch_size": 16, "unstable": ["it scatters"]})
    run.costs[:] = [cost(points=[scattered, *others])]
    assert row_of(run, "wavlm-base", 0).flags == ("UNSTABLE",)
    assert row_of(run, "wavlm-base", 3).flags == ()


def test_costs_stand_in_the_order_of_rows(empty_run: Any, cost: Any) -> None:
    empty_run.costs += [
        cost("wavlm-base", "all"),
        cost("emotion2vec_base", 0),
        cost("wavlm-base", 3),
        cost("wavlm-base", 0),
    ]
    found = [(c.trial.backbone.name, c.trial.finetune_layers) for c in empty_run.report().costs]
    assert found == [
        ("wavlm-base", 0), ("wavlm-base", 3), ("wavlm-base", "all"), ("emotion2vec_base", 0),
    ]  # fmt: skip
