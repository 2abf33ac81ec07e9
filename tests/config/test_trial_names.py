"""No two trials of a plan read alike."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config.axes import AXES, flat, nested
from harness.config.trial_names import TrialNames
from harness.specs import (
    Axes,
    BackboneSpec,
    CorpusSpec,
    ProtocolSpec,
    Trial,
)

VALUES: dict[str, tuple[Any, ...]] = {
    "finetune_layers": (0, 3, "all"),
    "loss": ("cross_entropy", "dr"),
    "seed": (1, 2),
    "head.kind": ("mlp", "knn", "logistic_regression"),
    "head.layers": ("last", "weighted_sum"),
    "head.pooling": ("statistics", "mean"),
    "head.hidden_dim": (None, 128, 64),
    "head.head_dim": (256, 32),
    "head.head_layers": (1, 2),
    "head.dropout": (0.5, 0.1, 0.1 + 1e-12),
    "training.epochs": (None, 30),
    "training.batch_seconds": (64.0, 32.0),
    "training.learning_rate.head": (1e-3, 1e-4),
    "training.learning_rate.backbone": (1e-5, 1e-6),
    "training.weight_decay": (0.01, 0.0),
    "training.warmup_share": (0.1, 0.0),
    "training.max_grad_norm": (1.0, 2.0),
    "training.accumulation_steps": (1, 4),
    "training.crop_s": (None, 10.0),
    "training.precision": ("auto", "bf16"),
    "training.frozen_mode": ("eval", "train"),
    "training.early_stopping.rule": ("full_window", "classic"),
    "training.early_stopping.metric": ("macro_f1", "uar"),
    "training.early_stopping.window": (5, 1),
    "training.early_stopping.loss_factor": (None, 1.05, 2.0),
}


def trial(backbone: str = "wavlm-base", fold: int = 1, **axes: Any) -> Trial:
    tree = nested(flat(Axes()) | axes)
    return Trial(
        corpus=CorpusSpec(name="ravdess"),
        protocol=ProtocolSpec(),
        fold=fold,
        backbone=BackboneSpec(name=backbone),
        **tree,
    )


def test_every_axis_is_tried_here() -> None:
    assert set(VALUES) == set(AXES)


@pytest.mark.parametrize("axis", AXES)
def test_trials_that_differ_in_one_axis_read_differently(axis: str) -> None:
    trials = [trial(**{axis: value}) for value in VALUES[axis]]
    names = TrialNames.among(trials)
    assert len({names.of(each) for each in trials}) == len(trials)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("wavlm-base", "hubert-base")),
            st.sampled_from((1, 2)),
            st.fixed_dictionaries(
                {}, optional={axis: st.sampled_from(found) for axis, found in VALUES.items()}
            ),
        ),
        max_size=6,
    )
)
def test_no_two_trials_of_a_plan_read_alike(drawn: list[tuple[str, int, dict[str, Any]]]) -> None:
    trials = [trial(backbone, fold, **axes) for backbone, fold, axes in drawn]
    names = TrialNames.among(trials)
    for one, other in combinations(trials, 2):
        assert (names.of(one) == names.of(other)) == (one.trial_id == other.trial_id)


@pytest.mark.parametrize(
    "change",
    [
        {"corpus": CorpusSpec(name="ravdess", labels={"sad": "low", "happy": None})},
        {"corpus": CorpusSpec(name="ravdess", speaker_overlap="allowed")},
        {"protocol": ProtocolSpec(folds=10)},
        {"protocol": ProtocolSpec(dev_speakers=2)},
        {"backbone": BackboneSpec(name="wavlm-base", init="random")},
        {"limit_utterances": 64},
        {"choose": {"head.dropout": (0.1, 0.5)}},
    ],
)
def test_what_is_no_axis_tells_trials_apart_too(change: dict[str, Any]) -> None:
    one = trial()
    other = one.model_copy(update=change)
    assert one.trial_id != other.trial_id
    names = TrialNames.among([one, other])
    assert names.of(one) != names.of(other)


def test_what_all_have_in_common_is_not_said() -> None:
    trials = [
        trial(**{"head.dropout": 0.2, "head.pooling": name}) for name in ("mean", "statistics")
    ]
    names = TrialNames.among(trials)
    assert [names.of(each).removeprefix(each.describe()) for each in trials] == [
        " · pooling mean",
        " · pooling statistics",
    ]


def test_what_differs_between_backbones_alone_their_names_say() -> None:
    trials = [trial("wavlm-base"), trial("hubert-base", **{"head.pooling": "mean"})]
    names = TrialNames.among(trials)
    assert [names.of(each) for each in trials] == [each.describe() for each in trials]
