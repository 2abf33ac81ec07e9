"""Reports of kept models that were scored again."""

from typing import Any

from made_up import CLASSES, MadeUpRun

from harness.reporting.scoring_text import as_scored
from harness.reporting.text_tables import to_latex, to_markdown
from harness.results.records import Record, Scoring
from harness.specs import CorpusSpec


def scored(record: Record, corpus: CorpusSpec | None) -> Record:
    scoring = Scoring(
        corpus=corpus, known_outputs=[*CLASSES, "calm"], model="m", sounds_compared=True,
        environment={},
    )  # fmt: skip
    return record.model_copy(update={"scored": scoring})


def test_a_report_of_trials_stays_as_it_is(run: MadeUpRun) -> None:
    assert as_scored(run.report(), run.records) == run.report()


def test_rows_on_another_corpus_name_both_and_a_note_says_among_what_was_chosen(
    run: MadeUpRun,
) -> None:
    records = [scored(record, CorpusSpec(name="emodb")) for record in run.records]
    report = as_scored(run.report(), records)
    assert {row.corpus for row in report.rows} == {"ravdess → emodb"}
    assert report.title == "made_up: kept models on all of emodb, among its own classes"
    assert (
        "on all 24 utterances of emodb; they choose among 3 of 4 outputs: angry, happy, sad"
        in (report.footnotes[0])
    )
    assert "ravdess → emodb" in to_markdown(report)
    assert r"ravdess $\rightarrow$ emodb" in to_latex(report)


def test_on_their_own_splits_rows_are_those_of_the_run(run: MadeUpRun) -> None:
    report = as_scored(run.report(), [scored(record, None) for record in run.records])
    assert report.title == "made_up: kept models, scored again"
    assert report.rows == run.report().rows


def test_all_folds_that_are_scored_on_another_corpus_are_tested_on_the_same(
    empty_run: MadeUpRun, trial: Any
) -> None:
    """Of each backbone another fold was kept."""
    for backbone, fold in (("wavlm-base", 1), ("hubert-base", 2), ("hubert-base", 1)):
        made = empty_run.add(trial(backbone, fold))
        empty_run.records[-1] = scored(made, CorpusSpec(name="emodb"))
    assert all("FOLDS DIFFER" not in row.flags for row in empty_run.report().rows)
