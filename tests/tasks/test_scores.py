"""Records hold the scores of classification in full, and those of other tasks by name."""

import pytest
from pydantic import TypeAdapter, ValidationError

from harness.tasks.classification.metrics import score
from harness.tasks.scores import RecordedScores, SplitMetrics, SplitScores

RECORDED: TypeAdapter[SplitMetrics | SplitScores] = TypeAdapter(RecordedScores)
CLASSES = ["angry", "sad"]


def test_scores_of_classification_come_back_as_they_were() -> None:
    scores = score(["angry", "sad"], ["sad", "sad"], CLASSES)
    found = RECORDED.validate_json(RECORDED.dump_json(scores))
    assert isinstance(found, SplitMetrics)
    assert found == scores


def test_scores_of_another_task_are_kept_by_name() -> None:
    scores = SplitScores(utterances=3, loss=0.5, ccc=0.25, mae=None)
    text = RECORDED.dump_json(scores)
    assert text == b'{"utterances":3,"loss":0.5,"ccc":0.25,"mae":null}'
    found = RECORDED.validate_json(text)
    assert found == scores
    assert (found.value("ccc"), found.value("mae")) == (0.25, None)


def test_a_score_that_is_not_there_is_an_error() -> None:
    with pytest.raises(AttributeError, match="uar"):
        SplitScores(utterances=3).value("uar")


@pytest.mark.parametrize("lost", ["uar", "utterances"])
def test_half_of_the_scores_of_classification_are_no_scores(lost: str) -> None:
    content = score(["angry", "sad"], ["sad", "sad"], CLASSES).model_dump()
    del content[lost]
    with pytest.raises(ValidationError):
        RECORDED.validate_python(content)
