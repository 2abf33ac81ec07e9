"""How a suite becomes trials."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config.matrix import expand, label, select
from harness.errors import SuiteError
from harness.specs import BackboneSpec, CorpusSpec, ProtocolSpec, Suite, Trial

BACKBONES = ("wavlm-base", "emotion2vec_plus_base")


def suite(matrix: dict[str, Any] | None = None, **changes: Any) -> Suite:
    content: dict[str, Any] = {
        "suite": "trial_run",
        "corpora": ["ravdess"],
        "backbones": list(BACKBONES),
        "matrix": matrix or {},
    }
    return Suite.model_validate(content | changes)


def folds(corpus: CorpusSpec) -> tuple[int, ...]:
    return (1, 2, 3)


def layers_by_backbone(trials: Sequence[Trial]) -> dict[str, set[Any]]:
    found: dict[str, set[Any]] = {}
    for trial in trials:
        found.setdefault(trial.backbone.name, set()).add(trial.finetune_layers)
    return found


def test_a_suite_without_a_matrix_has_one_trial_per_fold_and_backbone() -> None:
    trials = expand(suite(), folds)
    assert len(trials) == 6
    assert {(t.finetune_layers, t.loss, t.seed) for t in trials} == {
        (0, "weighted_cross_entropy", 1)
    }


def test_one_value_stands_for_a_list_of_one() -> None:
    assert expand(suite({"seed": 3}), folds) == expand(suite({"seed": [3]}), folds)


def test_axes_reach_every_leaf_by_full_and_by_short_name() -> None:
    full = suite({"head.pooling": ["mean"], "training.learning_rate.head": [1e-3, "1e-4"]})
    short = suite({"pooling": ["MeanPooling"], "learning_rate.head": [1e-3, 1e-4]})
    trials = expand(full, folds)
    assert trials == expand(short, folds)
    assert {trial.training.learning_rate.head for trial in trials} == {1e-3, 1e-4}
    assert {trial.head.pooling for trial in trials} == {"mean"}


def test_what_no_axis_varies_is_as_the_suite_says() -> None:
    given_training = {"epochs": 2, "time_limit_s": 60, "learning_rate": {"backbone": 1e-4}}
    trials = expand(suite({"epochs": [3, 4]}, training=given_training), folds)
    assert {trial.training.epochs for trial in trials} == {3, 4}
    assert {trial.training.time_limit_s for trial in trials} == {60}
    assert {trial.training.learning_rate.backbone for trial in trials} == {1e-4}


def test_exclude_drops_what_matches_every_key() -> None:
    trials = expand(
        suite(
            {
                "finetune_layers": [0, 3],
                "seed": [1, 2],
                "exclude": [{"backbone": "wavlm*", "finetune_layers": 3, "seed": [2, 5]}],
            }
        ),
        folds,
    )
    left = {(t.backbone.name, t.finetune_layers, t.seed) for t in trials}
    assert left == set(product(BACKBONES, (0, 3), (1, 2))) - {("wavlm-base", 3, 2)}


def test_exclude_can_name_folds_and_corpora() -> None:
    trials = expand(suite({"exclude": [{"corpus": "rav*", "fold": [2, 3]}]}), folds)
    assert {trial.fold for trial in trials} == {1}


def test_exclude_can_name_what_no_axis_varies() -> None:
    with pytest.raises(SuiteError, match="no trial is left"):
        expand(suite({"exclude": [{"pooling": "StatisticsPooling"}]}), folds)


def test_an_exclude_that_matches_nothing_is_a_mistake() -> None:
    with pytest.raises(SuiteError, match="this rule matches no trial"):
        expand(suite({"exclude": [{"fold": 9}]}), folds)


def test_include_overrides_the_axes_it_names_and_takes_the_listed_others() -> None:
    trials = expand(
        suite(
            {
                "finetune_layers": [0],
                "seed": [1, 2],
                "include": [{"backbone": "wavlm-base", "finetune_layers": [6, "all"]}],
            }
        ),
        folds,
    )
    assert layers_by_backbone(trials) == {
        "wavlm-base": {0, 6, "all"},
        "emotion2vec_plus_base": {0},
    }
    assert len(trials) == 3 * 2 * (3 + 1)


def test_include_without_a_backbone_means_all_and_adds_nothing_twice() -> None:
    once = expand(suite({"seed": [1, 2]}), folds)
    again = expand(suite({"seed": [1], "include": [{"seed": [1, 2]}]}), folds)
    assert set(again) == set(once)
    assert len(again) == len(once)


def test_include_brings_back_what_exclude_cut() -> None:
    matrix = {
        "finetune_layers": [0, 3],
        "exclude": [{"finetune_layers": 3}],
        "include": [{"backbone": "wavlm-base", "finetune_layers": 3}],
    }
    assert layers_by_backbone(expand(suite(matrix), folds))["wavlm-base"] == {0, 3}


def test_more_layers_than_a_backbone_has_is_a_mistake_unless_excluded() -> None:
    matrix: dict[str, Any] = {"finetune_layers": [0, 6, "all"]}
    two = ["wavlm-base", "whisper-tiny"]
    with pytest.raises(SuiteError, match="6 is beyond whisper-tiny, which has 4 layers"):
        expand(suite(matrix, backbones=two), folds)
    matrix["exclude"] = [{"backbone": "whisper-tiny", "finetune_layers": 6}]
    trials = expand(suite(matrix, backbones=two), folds)
    assert layers_by_backbone(trials)["whisper-tiny"] == {0, "all"}


def test_only_folds_restricts_the_folds_and_must_name_real_ones() -> None:
    trials = expand(suite(protocol={"only_folds": [2]}), folds)
    assert {trial.fold for trial in trials} == {2}
    with pytest.raises(SuiteError, match=r"ravdess has no fold 5 \(folds: 1, 2, 3\)"):
        expand(suite(protocol={"only_folds": [5]}), folds)


def test_an_exclude_for_a_fold_left_out_by_only_folds_is_no_mistake() -> None:
    matrix = {"exclude": [{"fold": 3}]}
    assert expand(suite(matrix, protocol={"only_folds": [2]}), folds)


def test_trials_that_share_a_backbone_lie_together_in_the_order_listed() -> None:
    trials = expand(suite({"seed": [2, 1], "finetune_layers": ["all", 3, 0]}), folds)
    places = [(t.backbone.name, t.fold, str(t.finetune_layers), t.seed) for t in trials]
    assert places == list(product(BACKBONES, (1, 2, 3), ("0", "3", "all"), (2, 1)))


def test_a_limit_on_utterances_is_noted_in_every_trial() -> None:
    assert {trial.limit_utterances for trial in expand(suite(), folds, 40)} == {40}


def test_backbones_of_any_name_give_the_same_trials() -> None:
    old = expand(suite(backbones=["iic/emotion2vec_plus_base"]), folds)
    new = expand(suite(backbones=["emotion2vec_plus_base"]), folds)
    assert [trial.trial_id for trial in old] == [trial.trial_id for trial in new]


def test_unknown_names_are_refused_also_without_a_file() -> None:
    with pytest.raises(SuiteError, match="unknown backbone 'wavlm'"):
        expand(suite(backbones=["wavlm"]), folds)


def test_select_matches_backbones_and_labels() -> None:
    trials = expand(suite({"finetune_layers": [0, 3], "seed": [1, 2]}), folds)
    assert {t.backbone.name for t in select(trials, "wavlm*")} == {"wavlm-base"}
    assert {t.finetune_layers for t in select(trials, ["*/0/*"])} == {0}
    assert len(select(trials, ["wavlm-base/0/*/fold1/seed1", "emo*/3/*/fold2/seed2"])) == 2
    assert select(trials, []) == trials


def test_selecting_nothing_names_what_there_is() -> None:
    trials = expand(suite(), folds)
    with pytest.raises(SuiteError, match=r"no trial matches 'wavlm-bas'.*'wavlm-base'\?") as caught:
        select(trials, ["*", "wavlm-bas"])
    assert label(trials[0]) in str(caught.value)


def trial(**changes: Any) -> Trial:
    content: dict[str, Any] = {
        "corpus": CorpusSpec(name="ravdess"),
        "protocol": ProtocolSpec(folds="emobox"),
        "fold": 1,
        "backbone": BackboneSpec(name="wavlm-base"),
    }
    return Trial(**content | changes)


def test_the_trial_id_is_the_same_today_as_when_results_were_written() -> None:
    # if this fails, every result that users have would be run again
    assert trial().trial_id == "d9a008c88400"


def test_the_trial_id_ignores_folders_the_other_folds_and_time_limits() -> None:
    same = trial(
        corpus=CorpusSpec(name="ravdess", root="/elsewhere"),
        backbone=BackboneSpec(name="wavlm-base", source="/elsewhere"),
        protocol=ProtocolSpec(folds="emobox", only_folds=(1, 2)),
        training={"time_limit_s": 5},
    )
    assert same.trial_id == trial().trial_id


def test_the_trial_id_depends_on_everything_else() -> None:
    others = [
        trial(fold=2),
        trial(seed=2),
        trial(finetune_layers="all"),
        trial(limit_utterances=5),
        trial(backbone=BackboneSpec(name="wavlm-base", init="random")),
        trial(head={"dropout": 0.4}),
        trial(training={"early_stopping": {"window": 4}}),
        trial(protocol=ProtocolSpec(folds=6)),
    ]
    assert len({other.trial_id for other in [*others, trial()]}) == len(others) + 1


def test_the_trial_id_ignores_the_suite_and_the_order_of_keys() -> None:
    matrix = {"seed": [1], "epochs": [3], "pooling": ["mean"]}
    swapped = dict(reversed(matrix.items()))
    first = expand(suite(matrix), folds)
    second = expand(suite(swapped, suite="another"), folds)
    assert [t.trial_id for t in first] == [t.trial_id for t in second]


LAYERS = st.lists(st.integers(0, 12) | st.just("all"), min_size=1, max_size=3, unique=True)
SEEDS = st.lists(st.integers(0, 99), min_size=1, max_size=3, unique=True)
POOLINGS = st.lists(
    st.sampled_from(["mean", "attentive_statistics"]), min_size=1, max_size=2, unique=True
)


@given(LAYERS, SEEDS, POOLINGS)
def test_the_matrix_is_the_whole_product_each_trial_once(
    layers: list[Any], seeds: list[int], poolings: list[str]
) -> None:
    matrix = {"finetune_layers": layers, "seed": seeds, "pooling": poolings}
    trials = expand(suite(matrix), folds)
    groups = [(t.backbone.name, t.fold, t.finetune_layers, t.seed, t.head.pooling) for t in trials]
    assert set(groups) == set(product(BACKBONES, (1, 2, 3), layers, seeds, poolings))
    assert len(groups) == len(set(groups)) == len({t.trial_id for t in trials})


@given(LAYERS, SEEDS, st.data())
def test_what_is_excluded_and_what_is_kept_make_up_the_matrix(
    layers: list[Any], seeds: list[int], data: st.DataObject
) -> None:
    rule = {
        "finetune_layers": data.draw(st.sampled_from(layers)),
        "seed": data.draw(st.lists(st.sampled_from(seeds), min_size=1, unique=True)),
        "backbone": data.draw(st.sampled_from([*BACKBONES, "*base"])),
    }
    matrix = {"finetune_layers": layers, "seed": seeds}
    every = expand(suite(matrix), folds)
    extra = {"seed": 100, "finetune_layers": 0}
    # the include keeps the suite from being empty when the rule cuts everything
    kept = expand(suite(matrix | {"exclude": [rule], "include": [extra]}), folds)
    cut = {
        t
        for t in every
        if t.finetune_layers == rule["finetune_layers"]
        and t.seed in rule["seed"]
        and rule["backbone"] in (t.backbone.name, "*base")
    }
    assert {t for t in kept if t.seed != 100} == set(every) - cut
