"""A plan in a few lines."""

from dataclasses import replace
from typing import Any

import pytest
from made_up import make_trial

from harness import api
from harness.runs.plan_text import plan_list, plan_summary
from harness.specs import CorpusSpec


def summary(suite: str, *changes: str, **more: Any) -> dict[str, tuple[int, str]]:
    """Axis -> how many values it has, and which."""
    found = {}
    for line in plan_summary(api.plan(suite, changes=changes, **more)):
        name, count, values = line.split("  ", 1)[0], *line.split("  ", 1)[1].split(maxsplit=1)
        found[name] = (int(count), values)
    return found


def test_each_axis_stands_with_its_values() -> None:
    changes = "matrix.seed=[1, 2]", "matrix.pooling=[mean, attentive_statistics]"
    found = summary("smoke", *changes)
    assert found["backbones"] == (2, "tiny-wavlm, tiny-emotion2vec")
    assert found["finetune_layers"] == (3, "0, 1, 2")
    assert found["seeds"] == (2, "1, 2")
    assert found["pooling"] == (2, "mean, attentive_statistics")
    assert "epochs" not in found


def test_only_what_is_selected_is_counted() -> None:
    found = summary("smoke", only=["tiny-wavlm/0/*"])
    assert found["backbones"] == (1, "tiny-wavlm")
    assert found["finetune_layers"] == (1, "0")


def test_what_dev_chooses_is_no_axis_of_trials() -> None:
    found = summary("smoke", "training.learning_rate.head={choose: [1.0e-3, 3.0e-3]}")
    assert found["learning_rate.head, chosen on dev"] == (2, "0.001, 0.003")
    assert "learning_rate.head" not in found


def test_corpora_with_unlike_folds_are_told_apart() -> None:
    trials = [
        make_trial(fold=fold, corpus=CorpusSpec(name=name))
        for name, folds in (("ravdess", 2), ("emodb", 3))
        for fold in range(1, folds + 1)
    ]
    lines = plan_summary(replace(api.plan("smoke"), trials=tuple(trials)))
    assert lines[1].split(maxsplit=2) == ["folds", "5", "2 of ravdess, 3 of emodb"]


def test_many_values_are_cut_short() -> None:
    found = summary("smoke", f"matrix.seed={list(range(1, 31))}")
    assert found["seeds"] == (30, "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 20 more")


@pytest.mark.parametrize("suite", ["smoke", "cost"])
def test_the_list_has_a_line_for_each_trial_or_cost(suite: str) -> None:
    plan = api.plan(suite)
    assert len(plan_list(plan)) == len(plan.selected or plan.costs)
