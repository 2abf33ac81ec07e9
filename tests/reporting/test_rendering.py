"""A report is read, written and printed, each on its own."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from harness.reporting.rendering import print_report, report_of, write_report
from harness.reporting.text_tables import to_markdown
from harness.results.store import ResultsStore


@pytest.fixture
def store(run: Any, tmp_path: Path) -> ResultsStore:
    store = ResultsStore(tmp_path / "made_up")
    store.prepare()
    for record in run.records:
        store.write_trial(record, run.saved[record.trial_id])
    for cost in run.costs:
        store.write_cost(cost)
    return store


def printed(report: Any, **more: Any) -> str:
    console = Console(file=io.StringIO(), **more)
    print_report(report, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_reading_a_report_writes_nothing(store: ResultsStore, run: Any) -> None:
    before = sorted(store.folder.rglob("*"))
    report = report_of(store)
    assert sorted(store.folder.rglob("*")) == before
    assert (report.title, report.rows) == ("made_up", run.report().rows)


def test_a_report_is_its_tables_and_its_figure(run: Any, tmp_path: Path) -> None:
    report = run.report()
    paths = write_report(report, tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in paths] == [
        "report/comparison.md",
        "report/comparison.csv",
        "report/comparison.tex",
        "report/per_class.md",
        "report/per_class.csv",
        "report/per_class.tex",
        "report/costs.csv",
        "report/costs.md",
        "trials.csv",
        "report/quality.svg",
        "report/quality.png",
    ]
    assert paths[0].read_text(encoding="utf-8") == to_markdown(report, "quality.svg")
    trials = paths[8].read_text(encoding="utf-8").splitlines()
    assert len(trials) == 1 + len(run.records)


def test_without_costs_and_scores_their_files_are_not_written(
    empty_run: Any, trial: Any, tmp_path: Path
) -> None:
    empty_run.add(trial(), status="oom", error="MemoryError")
    names = [path.name for path in write_report(empty_run.report(), tmp_path)]
    assert names == ["comparison.md", "comparison.csv", "comparison.tex", "trials.csv"]


def test_a_log_gets_a_table_of_100_columns_and_notes_that_stay_whole(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    text = printed(run.report())
    table, _, notes = text.partition("test majority")
    assert max(map(len, table.splitlines())) <= 100
    assert set(run.report().footnotes) <= set(notes.splitlines())
    monkeypatch.setenv("COLUMNS", "60")
    table = printed(run.report()).partition("test majority")[0]
    assert max(map(len, table.splitlines())) <= 60


def test_colours_are_for_terminals_alone(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" not in printed(run.report())
    assert "\x1b[1m" in printed(run.report(), force_terminal=True, width=100)


def test_costs_are_printed_where_nothing_else_was_measured(empty_run: Any, cost: Any) -> None:
    empty_run.costs.append(cost())
    text = printed(empty_run.report(), force_terminal=True, width=80, color_system=None)
    assert "Audio s/s" in text
    assert "wavlm-base" in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_markdown_shows_the_figure(store: ResultsStore) -> None:
    paths = write_report(report_of(store), store.folder)
    assert store.folder / "report" / "quality.svg" in paths
    markdown = (store.folder / "report" / "comparison.md").read_text(encoding="utf-8")
    assert "](quality.svg)" in markdown
