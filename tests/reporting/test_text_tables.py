"""What stands in the tables that people read and publish."""

import csv
import io
from typing import Any

import pytest
from rich.console import Console

from harness.reporting.data_frames import comparison_frame
from harness.reporting.text_tables import to_latex, to_markdown, to_rich


def fields(markdown: str) -> list[dict[str, str]]:
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    rows = [[field.strip() for field in line.strip("|").split("|")] for line in lines]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]


def test_numbers_have_units_rounding_and_dashes(run: Any) -> None:
    rows = fields(to_markdown(run.report()))
    first, other, chance = rows[0], rows[1], rows[-3]
    uar = run.report().rows[0].scores["uar"]
    assert first["UAR"].startswith(f"{100 * uar.mean:.1f} ± ")
    assert first["UAR 95 %"] == f"[{100 * uar.interval.low:.1f}, {100 * uar.interval.high:.1f}]"
    assert (first["Trained M"], first["Share %"], first["Depth %"]) == ("1.50", "1.6", "0.0")
    assert (rows[3]["Backbone"], rows[3]["Depth %"]) == ("emotion2vec_plus_base", "25.0")
    assert chance["Depth %"] == "–"
    assert (first["Infer s/s"], first["Train s/s"]) == ("60", "31.2")
    assert (first["RSS GiB"], first["GPU GiB"]) == ("1.00", "–")
    assert (other["Infer s/s"], other["RSS GiB"]) == ("–", "–")
    assert (chance["Backbone"], chance["Layers"], chance["UAR"]) == (
        "chance",
        "–",
        "33.3 ± 0.0 / –",
    )
    assert [row["Layers"] for row in rows] == ["0", "3", "0", "3", "–", "–", "–"]


def test_footnotes_define_what_is_shown_and_only_flags_that_occur(run: Any, trial: Any) -> None:
    text = to_markdown(run.report())
    for words in ("WA", "UA", "over folds", "over seeds", "bootstrap over the speakers", "chance:"):
        assert words in text
    assert "3 s × batch 8 on cpu" in text
    assert "LIMITED" not in text
    run.add(trial(fold=3, limit_utterances=40))
    assert "- LIMITED: run on part of the corpus" in to_markdown(run.report())


def test_a_footnote_says_why_3_of_8_blocks_are_a_quarter_of_emotion2vec(
    run: Any, empty_run: Any, trial: Any
) -> None:
    assert "3 of 8 main blocks (37.5 %) are 3 of its 12 layers (25.0 %)" in to_markdown(
        run.report()
    )
    empty_run.add(trial())
    assert "37.5 %" not in to_markdown(empty_run.report())


def test_the_markdown_links_to_the_figure_where_there_is_one(run: Any) -> None:
    assert "](quality.svg)" in to_markdown(run.report(), figure="quality.svg")
    assert "](" not in to_markdown(run.report())


def test_failed_trials_are_listed_under_the_table(run: Any, trial: Any) -> None:
    failed = run.add(trial(fold=3), status="oom", error="Traceback\nMemoryError: a | b")
    text = to_markdown(run.report())
    listed = text.partition("## Failed trials")[2]
    assert f"{failed.trial_id}: {failed.trial.describe()}: oom: MemoryError: a | b" in listed
    assert "INCOMPLETE 4 of 5" in text


def test_a_field_cannot_break_the_table(empty_run: Any, trial: Any) -> None:
    empty_run.add(
        trial().model_copy(update={"corpus": trial().corpus.model_copy(update={"name": "a|b_c"})})
    )
    assert "a\\|b_c" in to_markdown(empty_run.report())
    assert "a|b\\_c" in to_latex(empty_run.report())


def test_csv_is_raw_and_leaves_empty_what_was_not_measured(run: Any) -> None:
    text = comparison_frame(run.report()).to_csv(index=False)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert float(rows[0]["uar"]) == pytest.approx(run.report().rows[0].scores["uar"].mean)
    assert rows[0]["peak_rss_bytes"] == str(2**30)
    assert rows[0]["peak_gpu_bytes"] == rows[1]["infer_audio_s_per_s"] == ""
    assert [row["finetune_layers"] for row in rows] == ["0", "3", "0", "3", "", "", ""]


def test_latex_has_booktabs_rules_and_escaped_text(run: Any) -> None:
    text = to_latex(run.report())
    for words in (
        "\\toprule",
        "\\midrule",
        "\\bottomrule",
        "emotion2vec\\_plus\\_base",
        "UAR 95 \\%",
    ):
        assert words in text


def test_latex_prints_the_footnotes_and_failures_below_the_table(run: Any, trial: Any) -> None:
    run.add(trial(fold=1, finetune_layers=1), status="failed", error="ValueError: 5 % of a_b → c")
    report = run.report()
    text = to_latex(report)
    _, table, below = text.partition("\\end{tabular}")
    assert table
    printed = [line for line in below.splitlines() if line.startswith("\\par ")]
    assert len(printed) == len(report.footnotes) + len(report.failures)
    assert "All scores are on test, in \\%." in printed[0]
    assert "5 \\% of a\\_b $\\rightarrow$ c" in printed[-1]
    assert not any(line.lstrip().startswith("%") for line in text.splitlines())


def test_the_terminal_shows_scores_and_costs_apart(run: Any, trial: Any) -> None:
    run.add(trial(fold=3), status="oom", error="MemoryError: [8 GiB]")
    console = Console(width=220, file=io.StringIO(), record=True)
    console.print(to_rich(run.report()))
    scores, _, costs = console.export_text().partition("Trials and what they cost")
    assert "majority" in scores
    assert "Infer s/s" not in scores
    assert "Infer s/s" in costs.splitlines()[2]
    assert "MemoryError: [8 GiB]" in costs


def test_a_narrow_terminal_cuts_no_name_and_no_flag(empty_run: Any, trial: Any) -> None:
    empty_run.add(trial("emotion2vec_plus_base", limit_utterances=40), speaker_overlap=True)
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(to_rich(empty_run.report()))
    text = console.export_text()
    for word in ("emotion2vec_plus_base", "LIMITED", "SPEAKER OVERLAP", "GPU"):
        assert word in text
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("render", [to_markdown, to_latex])
def test_an_empty_run_says_so(empty_run: Any, render: Any) -> None:
    assert "No trial has been run yet." in render(empty_run.report())
