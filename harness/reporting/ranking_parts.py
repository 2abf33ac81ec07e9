"""The verdict for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from harness.reporting.formats import printable
from harness.reporting.ranking_columns import RANK_COLUMNS, pair_columns, row_columns
from harness.reporting.ranking_text import (
    headline_sentence,
    over_corpora_sentence,
    ranking_notes,
)
from harness.reporting.terminal_report import TerminalPart
from harness.reporting.terminal_tables import grid_text
from harness.results.inference.over_corpora import OverCorpora
from harness.results.ranking import Ranking


def ranking_parts(ranking: Ranking, width: int) -> Iterator[TerminalPart]:
    """The headline, the rows in their order, all pairs and what a reader must know.

    Args:
        ranking: of one corpus
        width: of a line, in cells
    """
    yield TerminalPart(Text(printable(headline_sentence(ranking)), "bold"))
    if ranking.rows:
        rows, pairs = row_columns(ranking.metric), pair_columns(ranking)
        yield TerminalPart(grid_text(ranking.rows, rows, 2, width), table=True)
        yield TerminalPart(grid_text(ranking.pairs, pairs, 2, width), table=True)
    yield TerminalPart(Text("\n".join(map(printable, ranking_notes(ranking))), "dim"))


def over_corpora_parts(found: OverCorpora, width: int) -> Iterator[TerminalPart]:
    """Mean ranks over corpora, and Friedman's test.

    Args:
        found: of some corpora
        width: of a line, in cells
    """
    yield TerminalPart(Text(printable(over_corpora_sentence(found)), "bold"))
    ranks = list(found.ranks.items())
    yield TerminalPart(grid_text(ranks, RANK_COLUMNS, 1, width), table=True)
