"""Settings that a suite leaves to dev."""

import pytest

from harness.config.choose import candidates, combinations
from harness.config.matrix import expand
from harness.config.suite_loading import load_suite
from harness.errors import SuiteError
from harness.specs import Trial

RATE = "training.learning_rate.head"


def trials(*changes: str) -> tuple[Trial, ...]:
    return expand(load_suite("smoke", changes), lambda _: (1,))


def chosen(*changes: str) -> Trial:
    return trials(*changes)[0]


def test_a_list_under_choose_becomes_one_trial_with_so_many_candidates() -> None:
    trial = chosen(f"{RATE}={{choose: [3e-4, 1e-3]}}", "head.dropout={choose: [0.1, 0.2, 0.5]}")
    assert len(trials(f"{RATE}={{choose: [3e-4, 1e-3]}}")) == len(trials())
    assert combinations(trial) == 6
    values, made = zip(*candidates(trial), strict=True)
    assert {(each[RATE], each["head.dropout"]) for each in values} == {
        (rate, dropout) for rate in (3e-4, 1e-3) for dropout in (0.1, 0.2, 0.5)
    }
    for settings, one in candidates(trial):
        assert one.training.learning_rate.head == settings[RATE]
        assert one.head.dropout == settings["head.dropout"]
        assert one.choose == {}
    assert len({one.trial_id for one in made}) == 6


def test_a_candidate_differs_from_its_trial_in_what_was_chosen_alone() -> None:
    trial = chosen(f"{RATE}={{choose: [3e-4, 1e-3]}}")
    plain = chosen(f"{RATE}=1e-3")
    assert candidates(trial)[1][1] == plain


def test_a_trial_without_choices_is_its_only_candidate() -> None:
    trial = chosen()
    assert candidates(trial) == [({}, trial)]


def test_what_is_left_to_dev_is_part_of_a_trials_identity() -> None:
    ids = {
        chosen().trial_id,
        chosen(f"{RATE}={{choose: [3e-3, 1e-3]}}").trial_id,
        chosen(f"{RATE}={{choose: [3e-3, 1e-3, 1e-2]}}").trial_id,
    }
    assert len(ids) == 3


def test_poolings_are_chosen_by_their_canonical_names() -> None:
    trial = chosen("head.pooling={choose: [MeanPooling, StatisticsPooling]}")
    assert trial.choose == {"head.pooling": ("mean", "statistics")}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (f"{RATE}={{choose: [1e-3]}}", "choose: found a list, needs a list of at least two values"),
        (f"{RATE}={{choose: 3}}", "choose: found 3, needs a list of at least two values"),
        (f"{RATE}={{choose: [1e-3, -1]}}", "choose: found -1, needs a number above 0"),
        (f"{RATE}={{choose: [1e-3, 0.001]}}", "choose: a value is listed twice"),
        (f"{RATE}={{choose: [1e-3, 1], of: 2}}", "choose stands alone, found also of"),
        ("head.pooling={choose: [mean, maximum]}", "unknown pooling 'maximum'"),
        ("training.precision={choose: [float32, bf16]}", "candidates must have it in common"),
        ("training={choose: [1, 2]}", "candidates must have it in common"),
        ("choose={training.epochs: [1, 2]}", "write it at the setting"),
        ("choose={1: 2}", "write it at the setting"),
        ("choose=7", "write it at the setting"),
    ],
)
def test_what_cannot_be_chosen_is_told(change: str, message: str) -> None:
    with pytest.raises(SuiteError, match=r".") as caught:
        load_suite("smoke", [change])
    assert message in str(caught.value)


def test_an_axis_is_either_chosen_or_in_the_matrix() -> None:
    with pytest.raises(SuiteError, match="the matrix lists it as well"):
        load_suite("smoke", [f"{RATE}={{choose: [1, 2]}}", "matrix.learning_rate.head=[1, 2]"])


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ("head.kind={choose: [mlp, knn]}", "trains no layers of the backbone: take it out of"),
        ("head.layers={choose: [last, weighted_sum]}", "for frozen backbones"),
    ],
)
def test_what_dev_could_choose_must_be_possible(choice: str, told: str) -> None:
    with pytest.raises(SuiteError, match=told):
        trials(choice, "matrix.finetune_layers=[0, 2]")
    assert trials(choice, "matrix.finetune_layers=[0]")
