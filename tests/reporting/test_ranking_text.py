"""The verdict in words."""

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from harness.errors import UserError
from harness.reporting.ranking_markdown import ranking_markdown
from harness.reporting.ranking_text import headline_sentence, pair_sentences, ranking_notes
from harness.reporting.rendering import print_over_corpora, print_ranking
from harness.results.ranking import Ranking, rank_over_corpora


@pytest.fixture
def ranking(run: Any) -> Ranking:
    (found,) = run.report().rankings
    return found  # type: ignore[no-any-return]


def printed(ranking: Ranking, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    print_ranking(ranking, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_headline_is_the_row_that_dev_chose_with_its_interval(ranking: Ranking) -> None:
    chosen = ranking.chosen
    assert chosen is not None
    assert chosen.score.interval is not None
    sentence = headline_sentence(ranking)
    low, high = (100 * end for end in vars(chosen.score.interval).values())
    start = f"ravdess: dev chooses {chosen.name}, with UAR {100 * chosen.score.mean:.1f}"
    assert sentence.startswith(f"{start} [{low:.1f}, {high:.1f}] on test.")
    assert "Nothing separates it from" in sentence


def test_who_is_better_is_said_in_one_sentence(ranking: Ranking) -> None:
    (unsure,) = pair_sentences([ranking], "wavlm-base/3", "wavlm-base/0")
    assert unsure.startswith("Nobody can tell whether wavlm-base · ")
    assert "points of UAR on ravdess (95 % [" in unsure
    one, other = ranking.pairs[0].one, ranking.pairs[0].other
    for verdict, words in (
        ("better", f"{one} is better than {other} by "),
        ("alike", f"{one} and {other} are alike in practice"),
        ("one seed", "run two seeds or more"),
    ):
        changed = (replace(ranking.pairs[0], verdict=verdict), *ranking.pairs[1:])
        (said,) = pair_sentences([replace(ranking, pairs=changed)], other, one)
        assert words in said


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("wavlm", "logmel"), "no row is 'wavlm' on ravdess"),
        (("wavlm-base", "wavlm-base/0"), "several rows are 'wavlm-base' on ravdess"),
        (("wavlm-base/0", "wavlm-base/0"), "cannot be set beside itself"),
    ],
)
def test_rows_that_are_not_there_are_a_mistake(
    ranking: Ranking, names: tuple[str, str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        pair_sentences([ranking], *names)
    with pytest.raises(UserError, match="no two rows"):
        pair_sentences([], *names)


def test_a_row_that_is_not_ranked_is_named_with_its_reason(ranking: Ranking) -> None:
    partly = replace(ranking, left_out=(("logmel · 0 layers", "trials failed or are missing"),))
    assert "Not ranked, as trials failed or are missing: logmel · 0 layers." in ranking_notes(
        partly
    )
    with pytest.raises(UserError, match="logmel · 0 layers is not ranked: trials failed"):
        pair_sentences([partly], "logmel", "wavlm-base/0")


def test_notes_say_the_optimism_of_picking_by_test_and_what_few_speakers_allow(
    ranking: Ranking,
) -> None:
    text = " ".join(ranking_notes(ranking))
    assert "pick by dev, not by test" in text
    assert "at best 0.0078 with so few" in text  # eight speakers
    assert "To tell " in text


@pytest.mark.parametrize("width", [80, 100, 120])
def test_it_fits_the_terminal(ranking: Ranking, width: int) -> None:
    text = printed(ranking, width)
    assert max(map(len, text.splitlines())) <= width
    for row in ranking.rows:
        assert row.score.interval is not None
        assert f"[{100 * row.score.interval.low:.1f}, " in text
    assert "…" not in text


def test_names_begin_no_tag_and_no_control_sequence(ranking: Ranking) -> None:
    named = replace(ranking, rows=(replace(ranking.rows[0], name="<b>\x1b[2J"), *ranking.rows[1:]),
                    pairs=tuple(replace(p, one="<b>\x1b[2J") if p.one == ranking.rows[0].name else p
                                for p in ranking.pairs))  # fmt: skip
    assert "<b>" not in ranking_markdown(named)
    assert "\x1b" not in printed(named, 100) + ranking_markdown(named)


def test_ranks_over_corpora_are_printed(ranking: Ranking) -> None:
    console = Console(file=io.StringIO(), width=100)
    several = [replace(ranking, corpus=f"corpus {number}") for number in range(5)]
    print_over_corpora(rank_over_corpora(several), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "Over 5 corpora: Friedman's test" in text
    assert text.index(ranking.rows[0].name.split()[0]) < text.index("Mean rank") + 2000
