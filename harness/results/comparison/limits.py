"""What may not change by more than so much."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.errors import UserError, choices
from harness.results.comparison.change import Change
from harness.results.comparison.results_comparison import ResultsComparison
from harness.tasks import TASKS
from harness.tasks.task import metric_names

Verdict = Literal["holds", "breached", "unsure"]

_LIMIT = re.compile(r"(?P<figure>\w+):(?P<sign>[+-]?)(?P<amount>\d+(\.\d+)?)(?P<percent>%?)")


@dataclass(frozen=True)
class Limit:
    """A figure, and how far it may go: down for "-", up for "+", either way without a sign."""

    figure: str
    sign: str
    amount: float
    percent: bool

    def verdict(self, change: Change) -> Verdict:
        """Whether the figure of a change stays within the limit.

        It holds if even the worse end of the change's interval does, and is breached if the change
        goes too far and is real, or if, where nobody can tell whether it is, all of its interval
        goes too far. Between the two the design cannot tell.

        >>> from harness.results.inference.score_intervals import Interval
        >>> worse = Change("wavlm-base", "uar", 0.60, 0.55, True, "", Interval(-0.08, -0.02))
        >>> read_limit("uar:-0.02").verdict(worse), read_limit("uar:+0.02").verdict(worse)
        ('breached', 'holds')
        >>> noisy = Change("wavlm-base", "uar", 0.60, 0.59, False, "", Interval(-0.08, 0.06))
        >>> read_limit("uar:-0.02").verdict(noisy), read_limit("uar:-0.1").verdict(noisy)
        ('unsure', 'holds')
        """
        if change.difference == 0 and change.interval is None:
            return "holds"
        ends = (change.interval.low, change.interval.high) if change.interval else ()
        all_passed = change.real is None and all(self._passed(end, change.base) for end in ends)
        if self._passed(change.difference, change.base) and (change.real or all_passed):
            return "breached"
        if ends and not any(self._passed(end, change.base) for end in ends):
            return "holds"
        return "unsure"

    def _passed(self, gone: float, base: float) -> bool:
        """Whether a difference is too large."""
        if self.percent and base == 0:  # any change of nothing is beyond every share of it
            return gone != 0
        gone, amount = (gone / base, self.amount / 100) if self.percent else (gone, self.amount)
        return {"-": gone < -amount, "+": gone > amount, "": abs(gone) > amount}[self.sign]


def read_limit(text: str) -> Limit:
    """A limit as the command line takes it.

    >>> read_limit("infer_audio_s_per_s:-10%")
    Limit(figure='infer_audio_s_per_s', sign='-', amount=10.0, percent=True)

    Raises:
        UserError: the text is no limit.
    """
    found = _LIMIT.fullmatch(text.strip())
    if not found:
        raise UserError(
            f"--fail-on {text}: write FIGURE:LIMIT, for example uar:-0.02 (fails if it falls by "
            "more), peak_rss_bytes:+5% (if it rises by more) or total_parameters:0 (at any change)"
        )
    return Limit(found["figure"], found["sign"], float(found["amount"]), bool(found["percent"]))


def lacking(limits: Sequence[Limit], found: ResultsComparison) -> list[str]:
    """What has a limited figure in BASE that was not compared, and why; no gate passes by that."""
    figures = {limit.figure for limit in limits}
    scores = _score_names()
    lost: list[str] = []
    if figures & scores:
        lost += [
            f"{found.names.of(record.trial)} is only in BASE" for record in found.trials.only_base
        ]
        lost += [
            f"{found.names.of(pair.base.trial)} was tested on other utterances"
            for pair in found.other_test
        ]
    if figures - scores:
        lost += [f"cost of {c.trial.describe()} is only in BASE" for c in found.costs.only_base]
    return lost


def judged(
    limits: Sequence[Limit], found: ResultsComparison, verdict: Verdict
) -> list[tuple[Limit, Change]]:
    """The changes of which a limit says this.

    Raises:
        UserError: a limit is on a figure that was not compared.
    """
    known = dict.fromkeys(change.figure for change in found.changes)
    known |= dict.fromkeys(_score_names() if found.other_test else ())
    for limit in limits:
        if limit.figure not in known:
            raise UserError(
                f"--fail-on {limit.figure}: nothing of this name was compared; "
                f"{choices(limit.figure, known)}"
            )
    return [
        (limit, change)
        for limit in limits
        for change in found.changes
        if change.figure == limit.figure and limit.verdict(change) == verdict
    ]


def _score_names() -> set[str]:
    return {name for card in TASKS.values() for name in metric_names(card.metrics)}
