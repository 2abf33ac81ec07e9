"""What is told class by class, for people and for spreadsheets."""

from typing import Any

import pytest

from harness.reporting.class_tables import (
    per_class_frame,
    per_class_latex,
    per_class_markdown,
    per_class_text,
)
from harness.reporting.csv_text import to_csv
from harness.reporting.report_model import Report
from harness.tasks.scores import SplitMetrics


def renamed(run: Any, names: dict[str, str]) -> Report:
    """The report of a run whose classes have other names."""
    for place, record in enumerate(run.records):
        test = record.metrics["test"]
        per_class = {names.get(name, name): one for name, one in test.per_class.items()}
        other = test.model_copy(update={"per_class": per_class})
        run.records[place] = record.model_copy(update={"metrics": {"test": other}})
    found: Report = run.report()
    return found


def test_every_count_stands_with_its_share_of_the_true_class(run: Any) -> None:
    report = run.report()
    one = report.rows[0].classes[0]
    share = 100 * one.predicted[1] / one.support
    cell = f"{one.predicted[1]} ({share:.0f} %)"
    table = per_class_markdown(report).partition("### ravdess · wavlm-base · 0 layers\n")[2]
    (row,) = [line for line in table.partition("###")[0].splitlines() if "| angry " in line]
    cells = [text.strip() for text in row.strip("|").split("|")]
    assert cells[2] == cell
    assert cells[-4:] == [
        str(one.support),
        *(f"{100 * value:.1f}" for value in (one.precision, one.recall, one.f1)),
    ]


def test_the_csv_has_a_row_a_class_and_adds_up(run: Any) -> None:
    report = run.report()
    frame = per_class_frame(report)
    assert len(frame) == sum(len(row.classes) for row in report.rows) == 12
    assert (frame.filter(like="predicted_").sum(axis=1) == frame["class_support"]).all()
    assert frame["class_support"].sum() == sum(
        record.metrics["test"].utterances for record in run.records
    )


def test_an_axis_of_the_name_of_a_score_keeps_its_column(run: Any, trial: Any) -> None:
    run.add(trial(training={"precision": "float32"}))
    frame = per_class_frame(run.report())
    assert "float32" in set(frame["precision"])
    assert frame["class_precision"].between(0, 1).all()


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("count", [2, 8, 30])
def test_a_confusion_of_any_size_fits_the_terminal(run: Any, width: int, count: int) -> None:
    names = [f"a_rather_long_class_{number}"[-number - 4 :] for number in range(count)]
    matrix = [[1000 * (row == column) for column in range(count)] for row in range(count)]
    for place, record in enumerate(run.records):
        one = record.metrics["test"].per_class["sad"]
        test = record.metrics["test"].model_copy(
            update={"per_class": dict.fromkeys(names, one), "confusion": matrix}
        )
        assert isinstance(test, SplitMetrics)
        run.records[place] = record.model_copy(update={"metrics": {"test": test}})
    report = run.report()
    text = "\n".join(part.plain for part in per_class_text(report, report.rows[:1], width))
    assert max(map(len, text.splitlines())) <= width
    assert text.count("(100") == count
    for heading in ("Precision", "Recall", "F1", "4000"):
        assert heading in text


def test_hostile_class_names_break_no_file(run: Any) -> None:
    report = renamed(run, {"angry": "=cmd()", "happy": "a|b\n<script>", "sad": "[red]_%"})
    markdown = per_class_markdown(report)
    assert "a\\|b�&lt;script&gt;" in markdown
    tables = [line for line in markdown.splitlines() if line.startswith("| =cmd")]
    assert {line.count("|") for line in tables} == {tables[0].count("|")}
    assert "'=cmd()" in to_csv(per_class_frame(report))
    latex = per_class_latex(report)
    assert "{[}red]\\_\\%" in latex
    assert "\\textless{}script" in latex


def test_the_notes_survive_in_latex(run: Any) -> None:
    text = per_class_latex(run.report())
    assert "\\par Counts are summed over folds and seeds" in text
    assert "in \\%" in text
    assert not any(line.lstrip().startswith("%") for line in text.splitlines())
