"""Which rows of a corpus are better than which others, and how sure that is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np

from harness.errors import UserError
from harness.results.group_scores import GroupScore
from harness.results.inference.best_draws import Order, drawn_order
from harness.results.inference.delete_one import DeleteOne
from harness.results.inference.difference_tests import LEVEL, PairedDifference, paired_difference
from harness.results.inference.larger_designs import LargerDesign, larger_design
from harness.results.inference.multiple_tests import holm, letters
from harness.results.inference.over_corpora import OverCorpora, over_corpora
from harness.tasks.task import Metric

MOST_ROWS = 60
"""So many rows of a corpus are ranked at most: their pairs are 1,770."""
EQUIVALENT = 0.01
"""Differences smaller than that make no difference in practice: one point."""

Verdict = Literal["better", "alike", "unsure", "one seed"]
"""The first row of a pair is better; neither by more than a point; nobody can tell; nobody can tell
since training's noise is not known."""


@dataclass(frozen=True)
class Contender:
    """A row that is to be ranked."""

    name: str
    score: GroupScore | None
    """Of the primary metric; None where no trial ended well."""
    dev_score: float | None
    incomplete: bool = False
    """Trials failed or are missing."""


@dataclass(frozen=True)
class RankedRow:
    """A row in its place."""

    name: str
    score: GroupScore
    dev_score: float | None
    group: str
    """Letters: rows that nothing separates share one; "?" where training's noise is not known."""
    best: float
    """The chance that it is the best of them."""
    first: int
    """The better end of its rank's 95 % interval."""
    last: int


@dataclass(frozen=True)
class Pair:
    """Two rows, the one that scores better first."""

    one: str
    other: str
    test: PairedDifference
    """Of one minus the other."""
    p: float
    """After Holm, over all pairs."""
    verdict: Verdict


@dataclass(frozen=True)
class Ranking:
    """The rows of one corpus by one metric, the best first."""

    corpus: str
    task: str
    metric: Metric
    rows: tuple[RankedRow, ...]
    pairs: tuple[Pair, ...]
    left_out: tuple[tuple[str, str], ...]
    """Rows that stand beside no other, and why."""
    larger: LargerDesign | None
    """What would tell the first two apart, where nothing does."""
    optimism: float
    """By how much the best of them on test looks better than it is, on average."""

    @property
    def speakers(self) -> int:
        """How many the rows were tested on."""
        return self.pairs[0].test.speakers if self.pairs else 0

    @property
    def chosen(self) -> RankedRow | None:
        """The row that dev chose, without a look at test; None where dev scores are not known."""
        known = [row for row in self.rows if row.dev_score is not None]
        sign = 1 if self.metric.higher_is_better else -1
        return max(known, key=lambda row: sign * (row.dev_score or 0), default=None)

    def pair(self, one: str, other: str) -> Pair:
        """The test of two rows, in whichever order they are named.

        Raises:
            KeyError: they were not set side by side.
        """
        return {frozenset((pair.one, pair.other)): pair for pair in self.pairs}[
            frozenset((one, other))
        ]


def rank(corpus: str, task: str, metric: Metric, contenders: Sequence[Contender]) -> Ranking:
    """Rank the rows of a corpus that were tested on the same utterances.

    Args:
        corpus: its name
        task: what the rows predict
        metric: of the task, which decides
        contenders: its rows; names differ
    """
    usual = _usual_test(contenders)
    sign = 1 if metric.higher_is_better else -1
    left_out = {c.name: reason for c in contenders if (reason := _reason(c, usual))}
    left_out |= _too_many([c for c in contenders if c.name not in left_out], sign)
    known = [(c, c.score, c.score.evidence) for c in contenders if c.score and c.score.evidence]
    kept = [_Known(*one) for one in known if one[0].name not in left_out]
    kept.sort(key=lambda row: -sign * row.score.mean)
    if len(kept) < 2:
        alone = {row.name: "there is no other row to set it beside" for row in kept}
        return Ranking(corpus, task, metric, (), (), tuple((alone | left_out).items()), None, 0.0)
    pairs = _pairs(kept)
    order = drawn_order([row.evidence for row in kept], higher_is_better=metric.higher_is_better)
    first, seeds = pairs[0], min(kept[0].evidence.seeds)
    return Ranking(
        corpus,
        task,
        metric,
        _ranked(kept, pairs, order),
        tuple(pairs),
        tuple(left_out.items()),
        None if first.verdict == "better" else larger_design(first.test, seeds),
        order.optimism,
    )


class _Known(NamedTuple):
    contender: Contender
    score: GroupScore
    evidence: DeleteOne

    @property
    def name(self) -> str:
        return self.contender.name


def _usual_test(contenders: Sequence[Contender]) -> str | None:
    """The test utterances of most complete rows; of as many, those with the most utterances."""
    known = [
        c.score.evidence for c in contenders if c.score and c.score.evidence and not c.incomplete
    ]
    counts = Counter(one.tested for one in known)
    best = max(known, key=lambda one: (counts[one.tested], one.utterances), default=None)
    return best.tested if best else None


def _reason(contender: Contender, usual: str | None) -> str | None:
    if contender.score is None:
        return "no trial ended well"
    if contender.incomplete:
        return "trials failed or are missing"
    if contender.score.evidence is None:
        return "predictions are missing, or the speakers of its test utterances are not known"
    if contender.score.evidence.tested != usual:
        return "it was tested on other folds or utterances than most rows"
    return None


def _too_many(contenders: Sequence[Contender], sign: int) -> dict[str, str]:
    """Those beyond the ones that do best on dev, which does not flatter what is kept."""
    ordered = sorted(contenders, key=lambda c: -sign * (c.dev_score or 0))
    reason = f"{MOST_ROWS} rows do better on dev, and no more are ranked"
    return {contender.name: reason for contender in ordered[MOST_ROWS:]}


def _pairs(kept: Sequence[_Known]) -> list[Pair]:
    tests = [
        (one.name, other.name, paired_difference(one.evidence, other.evidence))
        for one, other in combinations(kept, 2)
    ]
    corrected = holm([test.p for _, _, test in tests])
    return [
        Pair(one, other, test, p, _verdict(test, p))
        for (one, other, test), p in zip(tests, corrected, strict=True)
    ]


def _verdict(test: PairedDifference, p: float) -> Verdict:
    if not test.retrained:
        return "one seed"
    if p < LEVEL:
        return "better"
    return "alike" if test.within(EQUIVALENT) else "unsure"


def _ranked(kept: Sequence[_Known], pairs: Sequence[Pair], order: Order) -> tuple[RankedRow, ...]:
    place = {row.name: index for index, row in enumerate(kept)}
    separated = np.zeros((len(kept), len(kept)))
    for pair in pairs:
        separated[place[pair.one], place[pair.other]] = pair.verdict == "better"
    return tuple(
        RankedRow(
            name=row.name,
            score=row.score,
            dev_score=row.contender.dev_score,
            group=group if row.evidence.retrained else "?",
            best=float(order.best[index]),
            first=int(order.low[index]),
            last=int(order.high[index]),
        )
        for index, (row, group) in enumerate(zip(kept, letters(separated), strict=True))
    )


def rank_over_corpora(rankings: Sequence[Ranking]) -> OverCorpora:
    """The rows that are ranked on every corpus, over all of them.

    Raises:
        UserError: there are fewer than five corpora, a corpus twice, or fewer than three such rows.
    """
    corpora = Counter(ranking.corpus for ranking in rankings)
    if twice := [corpus for corpus, count in corpora.items() if count > 1]:
        raise UserError(
            f"several of these results rank {', '.join(twice)}: name folders that hold each corpus "
            "once"
        )
    return over_corpora(
        {r.corpus: {row.name: row.score.mean for row in r.rows} for r in rankings},
        higher_is_better=all(ranking.metric.higher_is_better for ranking in rankings),
    )
