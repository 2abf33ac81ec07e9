"""What keeps rows from being set side by side."""

from collections.abc import Iterable
from typing import Any

from made_up import FIT, MadeUpRun, make_trial

from harness.results.records import Fingerprint
from harness.results.row_flags import row_flags
from harness.results.trial_groups import group_trials
from harness.specs import CorpusSpec, ProtocolSpec


def flagged(run: MadeUpRun) -> dict[str, tuple[str, ...]]:
    """The flags of each group, by its backbone and what else tells it apart."""
    groups = group_trials(run.records)
    names = [" ".join([g.backbone, *map(str, g.axes.values())]) for g in groups]
    return dict(zip(names, row_flags(groups), strict=True))


def add(run: MadeUpRun, backbone: str, folds: Iterable[int], **changes: Any) -> None:
    for fold in folds:
        run.add(make_trial(backbone, fold, protocol=ProtocolSpec(folds=3)), **changes)


def test_rows_alike_have_no_flags(run: MadeUpRun) -> None:
    assert set(row_flags(group_trials(run.records))) == {()}


def test_a_row_on_fewer_folds_is_flagged(empty_run: MadeUpRun) -> None:
    add(empty_run, "wavlm-base", (1, 2, 3))
    add(empty_run, "hubert-base", (1,))
    assert flagged(empty_run) == {"wavlm-base": (), "hubert-base": ("FOLDS DIFFER",)}


def test_a_row_cut_otherwise_is_flagged_though_its_folds_bear_the_same_numbers(
    empty_run: MadeUpRun,
) -> None:
    for backbone in ("wavlm-base", "hubert-base"):
        add(empty_run, backbone, (1, 2))
    for fold in (1, 2):
        empty_run.add(make_trial("wavlm-base", fold, protocol=ProtocolSpec(folds=2)))
    assert flagged(empty_run) == {
        "wavlm-base 2": ("FOLDS DIFFER",),
        "wavlm-base 3": (),
        "hubert-base 3": (),
    }


def test_more_seeds_or_another_corpus_are_no_other_folds(empty_run: MadeUpRun) -> None:
    add(empty_run, "wavlm-base", (1, 2))
    empty_run.add(make_trial("wavlm-base", 1, seed=2, protocol=ProtocolSpec(folds=3)))
    add(empty_run, "hubert-base", (1, 2))
    empty_run.add(make_trial("hubert-base", 1, corpus=CorpusSpec(name="emodb")))
    assert set(row_flags(group_trials(empty_run.records))) == {()}


def test_a_row_in_another_precision_or_on_another_device_is_flagged(empty_run: MadeUpRun) -> None:
    half = FIT.model_copy(update={"precision": "bf16"})
    gpu = {"device_name": "H100"}
    add(empty_run, "wavlm-base", (1, 2), fit=FIT)
    add(empty_run, "hubert-base", (1, 2), fit=FIT)
    add(empty_run, "data2vec-audio-base", (1, 2), fit=half)
    add(empty_run, "wav2vec2-base", (1, 2), fit=FIT, environment=gpu)
    assert {name: flags for name, flags in flagged(empty_run).items() if flags} == {
        "data2vec-audio-base": ("MIXED ROWS",),
        "wav2vec2-base": ("MIXED ROWS",),
    }


def test_a_precision_that_the_row_names_is_no_surprise(empty_run: MadeUpRun) -> None:
    for precision in ("float32", "bf16"):
        fit = FIT.model_copy(update={"precision": precision})
        empty_run.add(make_trial(training={"precision": precision}), fit=fit)
    assert set(row_flags(group_trials(empty_run.records))) == {()}


def test_other_versions_of_shared_packages_are_flagged_and_those_of_one_family_are_not(
    empty_run: MadeUpRun,
) -> None:
    def on(**packages: str) -> Fingerprint:
        return Fingerprint(parts={}, packages=packages)

    add(empty_run, "wavlm-base", (1, 2), fingerprint=on(torch="2.13.0", transformers="5"))
    add(empty_run, "emotion2vec_plus_base", (1, 2), fingerprint=on(torch="2.13.0", funasr="1"))
    add(empty_run, "hubert-base", (1, 2), fingerprint=on(torch="2.12.0", transformers="5"))
    assert {name for name, flags in flagged(empty_run).items() if flags} == {"hubert-base"}


def test_a_row_without_outcomes_has_nothing_to_compare(empty_run: MadeUpRun) -> None:
    add(empty_run, "wavlm-base", (1, 2))
    add(empty_run, "hubert-base", (1,), status="failed")
    assert set(row_flags(group_trials(empty_run.records))) == {()}
