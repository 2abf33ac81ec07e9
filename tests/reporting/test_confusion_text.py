"""Which classes are taken for which, as text."""

from made_up import CLASSES, MadeUpRun, make_trial

from harness.reporting.confusion_text import confusions_markdown
from harness.results.group_confusion import group_confusion
from harness.specs import Axes
from harness.tasks.classification.metrics import score
from harness.tasks.scores import SplitScores


def with_confusions(run: MadeUpRun) -> None:
    for fold, predicted in ((1, ["angry", "happy", "sad"]), (2, ["sad", "happy", "sad"])):
        scores = score(["angry", "happy", "happy"], predicted, CLASSES)
        run.add(make_trial(fold=fold), metrics={"test": scores})


def test_counts_are_added_up_over_the_trials_of_a_group(empty_run: MadeUpRun) -> None:
    with_confusions(empty_run)
    found = group_confusion(empty_run.records)
    assert found is not None
    assert found.classes == tuple(CLASSES)
    assert found.counts == ((1, 0, 1), (0, 2, 2), (0, 0, 0))


def test_trials_of_unlike_classes_or_without_any_have_no_sum(empty_run: MadeUpRun) -> None:
    with_confusions(empty_run)
    other = score(["sad"], ["sad"], ["calm", "sad"])
    empty_run.add(make_trial(fold=3), metrics={"test": other})
    assert group_confusion(empty_run.records) is None
    assert group_confusion([]) is None
    of_a_number = empty_run.add(make_trial(fold=4), metrics={"test": SplitScores(utterances=1)})
    assert group_confusion([of_a_number]) is None


def test_each_row_has_a_table_in_per_cent_of_the_true_class(empty_run: MadeUpRun) -> None:
    with_confusions(empty_run)
    text = confusions_markdown(empty_run.report())
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert f"## ravdess · wavlm-base · {Axes().finetune_layers} layers" in lines
    assert "| True | as angry | as happy | as sad | Utterances |" in lines
    assert "| angry | 50.0 | 0.0 | 50.0 | 2 |" in lines
    assert "| happy | 0.0 | 50.0 | 50.0 | 4 |" in lines
    assert "| sad | – | – | – | 0 |" in lines


def test_without_trials_there_is_nothing_to_say(empty_run: MadeUpRun) -> None:
    assert confusions_markdown(empty_run.report()) == ""
