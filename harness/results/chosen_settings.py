"""What dev chose in the trials of a row, where a suite left settings to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.config.choose import chosen_text
from harness.results.records import Record


def chosen_settings(records: Sequence[Record]) -> str | None:
    """The settings in the order of how often they were chosen; None if there was no choice.

    Such as "learning_rate.head 0.001 (5), learning_rate.head 0.003 (1) of 3".
    """
    chosen = [r for r in records if r.chosen is not None]
    if not chosen:
        return None
    counts = Counter(chosen_text(r.candidates[r.chosen or 0].settings) for r in chosen)
    listed = "; ".join(f"{text} ({count})" for text, count in counts.most_common())
    return f"{listed} of {max(len(r.candidates) for r in chosen)}"
