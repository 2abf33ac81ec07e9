"""What stands in the tables that people publish."""

import csv
import io
from typing import Any

import pytest

from harness.reporting.data_frames import comparison_frame
from harness.reporting.text_tables import to_latex, to_markdown
from harness.specs import CorpusSpec


def fields(markdown: str, heading: str = "# made_up") -> list[dict[str, str]]:
    """The rows of the table under a heading."""
    _, _, below = markdown.partition(f"{heading}\n\n")
    lines = below.partition("\n\n")[0].splitlines()
    rows = [[field.strip() for field in line.strip("|").split("|")] for line in lines]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]


def test_numbers_have_units_rounding_and_dashes(run: Any) -> None:
    rows = fields(to_markdown(run.report()))
    first, other, chance = rows[0], rows[1], rows[-3]
    uar = run.report().rows[0].scores["uar"]
    assert first["UAR"] == f"{100 * uar.mean:.1f}"
    assert first["UAR 95 %"] == f"[{100 * uar.interval.low:.1f}, {100 * uar.interval.high:.1f}]"
    assert first["Dev UAR"] == f"{100 * run.report().rows[0].dev_score:.1f}"
    assert (first["Trained M"], first["Infer s/s"], first["RSS GiB"]) == ("1.50", "60", "1.00")
    assert (other["Infer s/s"], other["RSS GiB"]) == ("–", "–")
    assert (chance["Backbone"], chance["Layers"], chance["UAR"]) == ("chance", "–", "33.3")
    assert [row["Layers"] for row in rows] == ["0", "3", "0", "3", "–", "–", "–"]


def test_what_decides_less_stands_in_further_tables(run: Any) -> None:
    text = to_markdown(run.report())
    first, *_, chance = fields(text, "## More scores")
    uar = run.report().rows[0].scores["uar"]
    spreads = f"{100 * uar.spread_folds:.1f}", f"{100 * uar.spread_seeds:.1f}"
    assert (first["UAR ± folds"], first["UAR ± seeds"]) == spreads
    assert (chance["UAR ± folds"], chance["UAR ± seeds"]) == ("0.0", "–")
    costs = fields(text, "## Trials and costs")
    assert (costs[0]["Share %"], costs[0]["Depth %"], costs[0]["Train s/s"]) == (
        *("1.6", "0.0"),
        "31.2",
    )
    assert (costs[3]["Backbone"], costs[3]["Depth %"]) == ("emotion2vec_plus_base", "25.0")
    assert costs[-1]["Depth %"] == "–"


def test_a_column_that_says_nothing_of_any_row_is_not_shown(run: Any) -> None:
    run.records[:] = [r for r in run.records if r.trial.backbone.name == "wavlm-base"]
    for text in (to_markdown(run.report()), to_latex(run.report())):
        for heading in ("GPU GiB", "Chosen on dev", "Flags", "Note", "Corpus"):
            assert heading not in text


def test_footnotes_define_what_is_shown_and_only_flags_that_occur(run: Any, trial: Any) -> None:
    text = to_markdown(run.report())
    for words in ("WA", "UA", "over folds", "over seeds", "jackknife over speakers", "chance:"):
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
    failed = run.add(trial(fold=3), status="oom", error="Traceback\nMemoryError: a | b <i>")
    text = to_markdown(run.report())
    listed = text.partition("## Failed trials")[2]
    assert (
        f"{failed.trial_id}: {failed.trial.describe()}: oom: MemoryError: a | b &lt;i&gt;" in listed
    )
    assert "INCOMPLETE 4 of 5" in text


def test_a_field_cannot_break_the_table(empty_run: Any, trial: Any) -> None:
    empty_run.add(
        trial().model_copy(update={"corpus": trial().corpus.model_copy(update={"name": "a|b_c"})})
    )
    empty_run.add(trial())
    assert "a\\|b_c" in to_markdown(empty_run.report())
    assert "a\\textbar{}b\\_c" in to_latex(empty_run.report())


def test_text_in_latex_is_never_a_command(empty_run: Any, trial: Any) -> None:
    for name in ("[red]", "*", "100%", r"\input{a}", "<script>", "a&b", "a\nb\x1b[2J"):
        empty_run.add(trial(corpus=CorpusSpec.model_construct(name=name)))
    text = to_latex(empty_run.report())
    table = text.partition("\\end{tabular}")[0].splitlines()
    rows = [line for line in table if line.endswith(r"\\")]
    assert {row.count(" & ") for row in rows} == {rows[0].count(" & ")}
    # a line break takes a star or a bracket after it for its own
    assert not [row for row in rows if row.startswith(("[", "*"))]
    for escaped in (
        r"100\% &",
        r"\textbackslash{}input\{a\}",
        r"\textless{}script",
        r"a\&b",
        "a?b?",
    ):
        assert escaped in text


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
    assert printed[0].startswith("\\par ravdess: dev chooses ")
    assert "INCOMPLETE 0 of 1: trials failed or are missing" in printed[2]
    assert len(printed) == 3 + len(report.footnotes) + len(report.failures)
    assert "All scores are on test, in \\%." in printed[3]
    assert "5 \\% of a\\_b $\\rightarrow$ c" in printed[-1]
    assert not any(line.lstrip().startswith("%") for line in text.splitlines())


@pytest.mark.parametrize("render", [to_markdown, to_latex])
def test_an_empty_run_says_so(empty_run: Any, render: Any) -> None:
    assert "No trial has been run yet." in render(empty_run.report())
