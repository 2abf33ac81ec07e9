"""Confusions of several trials, added up."""

from typing import Any

import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from harness.results.class_scores import class_scores


def pooled(run: Any) -> tuple[list[str], list[str]]:
    """The labels of all test utterances of a run, and what was predicted."""
    frame = pd.concat([frame[frame["split"] == "test"] for frame in run.saved.values()])
    return list(frame["label"]), list(frame.filter(like="p_").idxmax(axis=1).str[2:])


def test_counts_and_scores_are_those_of_all_predictions_together(run: Any) -> None:
    labels, predicted = pooled(run)
    found = class_scores(run.records)
    names = [one.name for one in found]
    assert names == ["angry", "happy", "sad"]
    wanted = confusion_matrix(labels, predicted, labels=names)
    assert [list(one.predicted) for one in found] == wanted.tolist()
    scores = precision_recall_fscore_support(labels, predicted, labels=names)
    for place, one in enumerate(found):
        own = (one.precision, one.recall, one.f1, one.support)
        assert own == pytest.approx([part[place] for part in scores])
        assert sum(one.shares) == pytest.approx(1)


def test_a_class_that_one_fold_lacks_is_added_up_over_the_others(run: Any) -> None:
    first, second = run.records[:2]
    test = second.metrics["test"]
    lacking = test.model_copy(
        update={
            "per_class": {name: one for name, one in test.per_class.items() if name != "happy"},
            "confusion": [[5, 1], [2, 4]],
        }
    )
    other = second.model_copy(update={"metrics": {"test": lacking}})
    angry, happy, sad = class_scores([first, other])
    alone = class_scores([first])
    assert happy == alone[1].__class__(
        **vars(alone[1]) | {"precision": happy.precision, "f1": happy.f1}
    )
    assert angry.predicted == tuple(
        a + b for a, b in zip(alone[0].predicted, (5, 0, 1), strict=True)
    )
    assert sad.support == alone[2].support + 6


def test_what_cannot_be_divided_is_not_known(run: Any) -> None:
    test = run.records[0].metrics["test"]
    never = test.model_copy(update={"confusion": [[0, 0, 0], [0, 4, 0], [0, 1, 0]]})
    angry, _, sad = class_scores([run.records[0].model_copy(update={"metrics": {"test": never}})])
    assert (angry.support, angry.precision, angry.recall, angry.f1) == (0, None, None, None)
    assert (sad.precision, sad.recall, sad.f1) == (None, 0.0, 0.0)
    assert angry.shares == (None, None, None)


def test_without_trials_there_are_no_classes() -> None:
    assert class_scores([]) == ()
