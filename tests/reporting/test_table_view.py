"""Which rows and columns people may ask for, and in which order they come."""

from typing import Any

import pytest

from harness.errors import UserError
from harness.reporting.report_model import Report, ReportRow
from harness.reporting.table_view import EVERYTHING, read_view, sections, shown_rows
from harness.specs import CorpusSpec


@pytest.fixture
def report(run: Any, trial: Any) -> Report:
    """Two backbones × two depths × two losses, and a second corpus."""
    for layers in (0, 3):
        run.add(trial(loss="dr", finetune_layers=layers))
        run.add(trial(corpus=CorpusSpec(name="emodb"), finetune_layers=layers))
    run.add(trial(finetune_layers="all"), trainable_parameters=9_000_000)
    found: Report = run.report()
    return found


def rows_of(report: Report, corpus: str = "ravdess", **asked: Any) -> list[ReportRow]:
    shown = shown_rows(report, read_view(report, **asked))
    return [row for row in shown if isinstance(row, ReportRow) and row.corpus == corpus]


def test_without_a_wish_all_rows_come_in_their_order(report: Report) -> None:
    assert shown_rows(report, EVERYTHING) == report.rows_with_baselines()


def test_scores_come_high_first_and_costs_low_first(report: Report) -> None:
    scores = [row.scores["uar"].mean for row in rows_of(report, sort="uar")]
    assert scores == sorted(scores, reverse=True)
    sizes = [row.trainable_parameters for row in rows_of(report, sort="trainable_parameters")]
    assert sizes == sorted(sizes)
    assert sizes[0] != sizes[-1]


def test_a_minus_turns_the_order_round(report: Report) -> None:
    scores = [row.scores["uar"].mean for row in rows_of(report, sort="-uar")]
    assert scores == sorted(scores)


@pytest.mark.parametrize("sort", ["infer_audio_s_per_s", "-infer_audio_s_per_s"])
def test_rows_without_a_value_come_last_either_way(report: Report, sort: str) -> None:
    known = [row.cost is not None for row in rows_of(report, sort=sort)]
    assert known == sorted(known, reverse=True)
    assert known[0]
    assert not known[-1]


def test_all_layers_come_after_any_number_of_them(report: Report) -> None:
    layers = [row.finetune_layers for row in rows_of(report, sort="finetune_layers")]
    assert layers == [0, 0, 0, 3, 3, 3, "all"]


def test_the_top_are_the_best_of_each_corpus(report: Report) -> None:
    for corpus in ("ravdess", "emodb"):
        every = rows_of(report, corpus, sort="uar")
        assert rows_of(report, corpus, top=1) == every[:1]
        worst = rows_of(report, corpus, sort="-uar", top=1)
        assert worst[0].scores["uar"].mean == min(row.scores["uar"].mean for row in every)


def test_guessing_is_shown_however_few_rows_are(report: Report) -> None:
    shown = shown_rows(report, read_view(report, top=1))
    assert [row for row in shown if not isinstance(row, ReportRow)] == list(report.baselines)


def test_guessing_is_left_out_of_costs_as_it_has_none(report: Report) -> None:
    shown = shown_rows(report, read_view(report, ["cost"]))
    assert shown == report.rows
    assert len(shown_rows(report, read_view(report, ["cost", "uar"]))) > len(shown)


def test_each_corpus_is_a_section_of_its_own(report: Report) -> None:
    assert [part.title for part in sections(report, EVERYTHING)] == [
        "Corpus: ravdess",
        "Corpus: emodb",
    ]


def test_rows_are_grouped_by_any_column_and_guessing_stands_apart(report: Report) -> None:
    found = sections(report, read_view(report, group_by="loss"))
    assert [part.title for part in found] == [
        "loss: dr",
        "loss: weighted_cross_entropy",
        "Baselines",
    ]
    for part in found[:2]:
        assert {f"loss: {row.axes['loss']}" for row in part.rows} == {part.title}  # type: ignore[union-attr]
    assert found[-1].rows == report.baselines


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"columns": ["cots"]}, r"--columns: there is no column 'cots': did you mean 'cost'"),
        ({"columns": [""]}, r"--columns: there is no column ''"),
        ({"sort": "-uarr"}, r"--sort: there is no column 'uarr': did you mean 'uar'"),
        ({"group_by": "los"}, r"--group-by: there is no column 'los': did you mean 'loss'"),
        ({"top": 0}, r"--top: found 0, needs a number of rows from 1 on"),
    ],
)
def test_what_is_not_there_is_named_with_what_is_near(
    report: Report, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        read_view(report, **asked)


def test_columns_are_asked_for_by_group_and_by_name(report: Report) -> None:
    def names(*asked: str) -> list[str]:
        return [column.name for column in read_view(report, asked).columns]

    assert names("uar", "trainable_share") == ["uar", "trainable_share"]
    assert names(" uar ", "uar") == ["uar"]
    assert names("uar_high") == ["uar_high"]
    assert names("scores")[:4] == ["uar", "uar_low", "rank_group", "dev_score"]
    assert "peak_rss_bytes" in names("cost")
    assert not {"uar", "peak_gpu_bytes"} & set(names("cost"))
    assert set(names("all")) == {*names("scores"), *names("trials"), *names("cost")}
    assert set(names("deciding")) < set(names("all"))
    # which row it is, and its flags, stand in every table anyway
    assert names("backbone", "loss", "flags", "uar") == ["uar"]


def test_of_nothing_everything_may_be_asked(empty_run: Any) -> None:
    assert read_view(empty_run.report(), ["uar"], "uar", 3, "loss") == EVERYTHING
