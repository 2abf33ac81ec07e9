"""The report on a terminal: it fits, whatever varies and however things are called."""

import io
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import MadeUpRun, make_trial
from rich.cells import cell_len
from rich.console import Console

from harness.reporting.flag_notes import flag_numbers
from harness.reporting.rendering import print_report
from harness.reporting.report_model import Report
from harness.reporting.table_view import EVERYTHING, read_view
from harness.specs import CorpusSpec, HeadSpec

LONG = "weighted_cross_entropy", "dr"
AXES = ("loss", "pooling", "hidden_dim", "head_dim", "dropout", "head_layers", "layers")


def printed(report: Report, width: int, *, per_class: bool = False, **asked: Any) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    view = read_view(report, **asked) if asked else EVERYTHING
    print_report(report, console, view, per_class=per_class)
    return console.file.getvalue()  # type: ignore[attr-defined]


def head_of(text: str) -> str:
    """The headings of the first table, their lines put together word by word."""
    lines = text.splitlines()[1:]
    rule = next(place for place, line in enumerate(lines) if line.startswith("─"))
    return " ".join(" ".join(lines[:rule]).split())


@pytest.fixture
def two_axes(run: Any, trial: Any) -> MadeUpRun:
    """A real suite: backbones, depths, two axes with long names, and what goes wrong."""
    made: MadeUpRun = run
    for backbone in ("wavlm-base", "emotion2vec_plus_base"):
        for pooling in ("mean", "attentive_statistics"):
            for loss in LONG:
                head = HeadSpec(pooling=pooling)
                made.add(trial(backbone, loss=loss, head=head))
    made.add(
        trial(fold=2, loss="dr", head=HeadSpec(pooling="mean")),
        status="oom",
        error="MemoryError: [8 GiB]",
    )
    return made


@pytest.mark.parametrize("width", [80, 90, 100, 120])
def test_every_score_is_there_once_two_axes_vary(two_axes: MadeUpRun, width: int) -> None:
    report = two_axes.report()
    text = printed(report, width)
    assert "…" not in text
    assert max(map(cell_len, text.splitlines())) <= width
    assert {"Backbone", "Layers", "loss", "pooling", "UAR", "95", "Note"} <= set(
        head_of(text).split()
    )
    for row in report.rows:
        uar = row.scores["uar"]
        assert uar.interval is not None
        assert row.dev_score is not None
        interval = f"[{100 * uar.interval.low:.1f}, {100 * uar.interval.high:.1f}]"
        (line, *_) = [line for line in text.splitlines() if interval in line]
        before, _, after = line.partition(interval)
        assert before.split()[-1] == f"{100 * uar.mean:.1f}"
        assert f"{100 * row.dev_score:.1f}" in text
        assert after.split()


def test_at_110_columns_nothing_that_decides_is_left_out(two_axes: MadeUpRun) -> None:
    text = printed(two_axes.report(), 110)
    for words in ("Dev", "Trained", "Infer", "RSS"):
        assert words in head_of(text)
    assert "Too narrow" not in text
    assert "Too narrow for" in printed(two_axes.report(), 80)


def test_where_there_is_room_other_scores_stand_beside_the_headline(two_axes: MadeUpRun) -> None:
    assert "Accuracy" not in head_of(printed(two_axes.report(), 100))
    wide = head_of(printed(two_axes.report(), 200))
    for words in ("Accuracy", "Macro-", "Weighted", "Train"):
        assert words in wide
    assert "GPU" not in wide


def test_what_dev_chose_is_never_folded_into_a_tower(two_axes: MadeUpRun) -> None:
    report = two_axes.report()
    chosen = "learning_rate.head 0.001 (5); learning_rate.head 0.003 (1) of 3"
    report = replace(report, rows=tuple(replace(row, chosen=chosen) for row in report.rows))
    assert chosen in printed(report, 210)
    narrow = printed(report, 100)
    assert "learning_rate" not in narrow
    left_out = narrow.partition("Too narrow for ")[2].partition(":")[0]
    assert "Chosen on dev" in left_out
    assert "0.003 (1)" in printed(report, 100, columns=["chosen"])


@cache
def varied(count: int, long: bool, corpora: int) -> Report:
    """Rows that differ in so many axes."""
    made = MadeUpRun()
    values: dict[str, Any] = {
        "hidden_dim": 64, "head_dim": 64, "dropout": 0.25, "head_layers": 3,
        "layers": "weighted_sum", "pooling": "attentive_statistics",
    }  # fmt: skip
    names = AXES[1:count]  # the first, the loss, varies anyway
    for corpus in range(corpora):
        for loss, changes in zip(LONG, ({}, {name: values[name] for name in names}), strict=True):
            backbone = "an_own_backbone_of_a_very_long_name" if long else "wavlm-base"
            spec = CorpusSpec(name=f"corpus_{corpus}")
            made.add(make_trial(backbone, corpus=spec, loss=loss, head=HeadSpec(**changes)))
    return made.report()


@settings(deadline=None, max_examples=30)
@given(
    st.integers(1, len(AXES)), st.booleans(), st.integers(1, 2), st.integers(60, 160),
    st.sampled_from(["", "scores", "cost", "all", "loss,uar_spread_folds"]),
)  # fmt: skip
def test_any_number_of_axes_fits_any_terminal(
    count: int, long: bool, corpora: int, width: int, columns: str
) -> None:
    report = varied(count, long, corpora)
    text = printed(report, width, columns=columns.split(",") if columns else ())
    assert "…" not in text
    assert max(map(cell_len, text.splitlines())) <= width
    if columns in ("", "scores", "all"):
        for row in report.rows:
            assert f"{100 * row.scores['uar'].mean:.1f}" in text


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(
    "name",
    ["[red]x[/]", "a|b", "=cmd()", "<script>", "x" * 200, "日本語の音声" * 9, "a\nb\x1b[2J\t"],
)
def test_no_name_breaks_the_table(empty_run: Any, trial: Any, name: str, width: int) -> None:
    for loss in LONG:
        empty_run.add(trial(name, loss=loss))
    text = printed(empty_run.report(), width, per_class=True)
    lines = text.splitlines()
    assert max(map(cell_len, lines)) <= width
    assert "\x1b" not in text
    table = text.partition("chance")[0]
    # folded over the lines of its row, the name is all there
    column = "".join(
        line[: line.find("  ")] if "  " in line else line for line in table.splitlines()
    )
    assert name[:6].split("\n")[0] in column
    for row in empty_run.report().rows:
        assert f"{100 * row.scores['uar'].mean:.1f}" in table


def test_each_flag_is_a_number_on_its_rows_and_a_note_below(two_axes: MadeUpRun) -> None:
    two_axes.add(make_trial("tiny-wavlm", limit_utterances=40))
    report = two_axes.report()
    table, _, notes = printed(report, 200).partition("test majority")
    numbers = flag_numbers(report.rows)
    assert {"LIMITED", "INCOMPLETE 1 of 2"} <= set(numbers)
    rows = [line.split() for line in table.splitlines() if " [" in line]
    for flag, number in numbers.items():
        assert f"({number}) {flag}" in notes
        flagged = sum(str(number) in cells[-1].split(",") for cells in rows)
        assert flagged == sum(flag in row.flags for row in report.rows)


def without_flags(run: MadeUpRun) -> MadeUpRun:
    """Only of a backbone that has not seen the labels of its corpus."""
    records = [r for r in run.records if r.trial.backbone.name == "wavlm-base"]
    return replace(run, records=records)


def test_without_a_flag_there_is_no_column_for_them(run: Any) -> None:
    assert "Note" not in head_of(printed(without_flags(run).report(), 100))


def test_failed_trials_are_listed_below(two_axes: MadeUpRun) -> None:
    assert "oom: MemoryError: [8 GiB]" in printed(two_axes.report(), 160)


def test_asked_columns_are_shown_whatever_the_width(two_axes: MadeUpRun) -> None:
    for width in (80, 200):
        text = printed(two_axes.report(), width, columns=["all"])
        for heading in ("Accuracy", "Seeds", "Planned", "Depth", "Train"):
            assert heading in text


def test_what_was_asked_for_and_is_not_known_is_told(two_axes: MadeUpRun) -> None:
    text = printed(two_axes.report(), 100, columns=["uar", "peak_gpu_bytes"])
    assert "GPU GiB" not in head_of(text)
    assert "Nothing is known of GPU GiB." in text


def test_rows_left_out_are_counted(two_axes: MadeUpRun) -> None:
    report = two_axes.report()
    assert f"1 of {len(report.rows)} rows: --top 1." in printed(report, 100, top=1)


def test_per_class_shows_the_rows_that_are_shown(two_axes: MadeUpRun) -> None:
    text = printed(two_axes.report(), 80, per_class=True, top=2)
    assert text.count("Recall") == 2
    assert "F1 of each class" in text
    assert "Counts are summed over folds and seeds" in text
    assert "Recall" not in printed(two_axes.report(), 80)


def test_an_empty_run_says_so(empty_run: Any) -> None:
    assert "No trial has been run yet." in printed(empty_run.report(), 80)
