"""What may not change by more than so much."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import UserError, choices
from harness.results.comparison.change import Change
from harness.results.comparison.results_comparison import ResultsComparison
from harness.tasks import TASKS
from harness.tasks.task import metric_names

_LIMIT = re.compile(r"(?P<figure>\w+):(?P<sign>[+-]?)(?P<amount>\d+(\.\d+)?)(?P<percent>%?)")


@dataclass(frozen=True)
class Limit:
    """A figure, and how far it may go: down for "-", up for "+", either way without a sign."""

    figure: str
    sign: str
    amount: float
    percent: bool

    def breached(self, change: Change) -> bool:
        """Whether a change goes too far, and not by noise alone as far as that is known.

        >>> worse = Change("wavlm-base", "uar", 0.60, 0.55, True, "")
        >>> read_limit("uar:-0.02").breached(worse), read_limit("uar:+0.02").breached(worse)
        (True, False)
        """
        if change.figure != self.figure or change.real is False:
            return False
        gone, amount = change.difference, self.amount
        if self.percent:
            if change.relative is None:  # any change of nothing is beyond every share of it
                return gone != 0
            gone, amount = change.relative, self.amount / 100
        down, up = gone < -amount, gone > amount
        return {"-": down, "+": up, "": down or up}[self.sign]


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
    """What has a limited figure in BASE and is not in HEAD: no gate passes for want of a result."""
    figures = {limit.figure for limit in limits}
    scores = {name for card in TASKS.values() for name in metric_names(card.metrics)}
    lost: list[str] = []
    if figures & scores:
        lost += [record.trial.describe() for record in found.trials.only_base]
    if figures - scores:
        lost += [f"cost of {cost.trial.describe()}" for cost in found.costs.only_base]
    return lost


def breaches(limits: Sequence[Limit], changes: Sequence[Change]) -> list[tuple[Limit, Change]]:
    """The changes that go too far.

    Raises:
        UserError: a limit is on a figure that was not compared.
    """
    known = dict.fromkeys(change.figure for change in changes)
    for limit in limits:
        if limit.figure not in known:
            raise UserError(
                f"--fail-on {limit.figure}: nothing of this name was compared; "
                f"{choices(limit.figure, known)}"
            )
    return [(limit, change) for limit in limits for change in changes if limit.breached(change)]
