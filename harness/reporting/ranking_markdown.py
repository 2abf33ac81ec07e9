"""The verdict as Markdown."""

from __future__ import annotations

from harness.reporting.ranking_columns import pair_columns, row_columns
from harness.reporting.ranking_text import headline_sentence, ranking_notes
from harness.reporting.tables import grid, markdown
from harness.results.ranking import Ranking

FEW_ROWS = 8
"""A report lists the pairs of so many rows; of more, `harness rank` does."""


def ranking_markdown(ranking: Ranking) -> str:
    """The headline, the rows in their order, the pairs of few, and what a reader must know."""
    pairs = ranking.pairs if len(ranking.rows) <= FEW_ROWS else ()
    notes = ranking_notes(ranking, pairs=bool(pairs))
    parts = [
        f"**{markdown(headline_sentence(ranking))}**",
        grid(ranking.rows, row_columns(ranking.metric)),
        grid(pairs, pair_columns(ranking)),
        "\n".join(f"- {markdown(note)}" for note in notes),
    ]
    return "\n\n".join(part for part in parts if part)
