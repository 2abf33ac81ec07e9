"""The comparison of two results folders as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.config.trial_names import TrialNames
from harness.reporting.columns import Column
from harness.reporting.formats import scaled
from harness.reporting.tables import grid
from harness.results.comparison.change import Change
from harness.results.comparison.cost_changes import CostPairs
from harness.results.comparison.limits import Limit
from harness.results.comparison.results_comparison import ResultsComparison
from harness.results.comparison.trial_pairs import TrialPairs

_REAL = {True: "yes", False: "no", None: "?"}


def comparison_text(found: ResultsComparison) -> str:
    """Which trials both have, then quality and costs; what is only counted, where it changed."""
    counted = [change for change in found.counted if change.difference]
    parts = [
        _trials(found.trials, found.names),
        "\n".join(
            f"left out, as it rests on other data or weights than now: {name}"
            for name in found.stale
        ),
        "\n".join(
            f"scores not compared, as BASE and HEAD were tested on other utterances or targets: "
            f"{found.names.of(pair.base.trial)}"
            for pair in found.other_test
        ),
        _costs(found.costs),
        _table("Quality", found.quality),
        _table("Parameters, frames and FLOPs that changed", counted)
        or (found.counted and "Parameters, frames and FLOPs are the same.")
        or "",
        _table("Speed, memory and energy", found.measured),
        found.refusal or "",
    ]
    return "\n\n".join(part for part in parts if part)


def breach_line(limit: Limit, change: Change) -> str:
    """What went too far, on one line."""
    return f"{_went(change)}, beyond {_amount(limit)}"


def unsure_line(limit: Limit, change: Change) -> str:
    """What may have gone too far, on one line."""
    return f"{_went(change)}; whether beyond {_amount(limit)}, noise hides ({change.noise or '?'})"


def _went(change: Change) -> str:
    return (
        f"{change.what}: {change.figure} went from {change.base:.6g} to {change.head:.6g} "
        f"({_change(change)})"
    )


def _amount(limit: Limit) -> str:
    return f"{limit.sign}{limit.amount:g}{'%' if limit.percent else ''}"


def _trials(pairs: TrialPairs, names: TrialNames) -> str:
    lines = [
        f"{len(pairs.both)} trials in both, {len(pairs.changed)} of them changed; "
        f"{len(pairs.only_base)} only in BASE, {len(pairs.only_head)} only in HEAD"
    ]
    for changes, count in Counter(pair.changes for pair in pairs.changed).items():
        lines.append(f"changed in {count}: {', '.join(changes)}")
    lines += [f"only in BASE: {names.of(record.trial)}" for record in pairs.only_base]
    lines += [f"only in HEAD: {names.of(record.trial)}" for record in pairs.only_head]
    return "\n".join(lines)


def _costs(pairs: CostPairs) -> str:
    if not (pairs.both or pairs.only_base or pairs.only_head):
        return ""
    lines = [
        f"{len(pairs.both)} costs in both; {len(pairs.only_base)} only in BASE, "
        f"{len(pairs.only_head)} only in HEAD"
    ]
    lines += [f"only in BASE: cost of {cost.trial.describe()}" for cost in pairs.only_base]
    lines += [f"only in HEAD: cost of {cost.trial.describe()}" for cost in pairs.only_head]
    return "\n".join(lines)


def _table(title: str, changes: Sequence[Change]) -> str:
    return f"## {title}\n\n{grid(changes, _COLUMNS)}" if changes else ""


def _change(change: Change) -> str:
    share = "" if change.relative is None else f", {change.relative:+.1%}"
    return f"{change.difference:+.4g}{share}"


_COLUMNS = (
    Column("what", str, title="What"),
    Column("figure", str, title="Figure"),
    Column("base", float, title="Base", format=scaled(".5g")),
    Column("head", float, title="Head", format=scaled(".5g")),
    Column("difference", float, title="Change", displayed=lambda change: change, format=_change),
    Column("real", bool, title="Real", format=lambda real: _REAL[real]),
    Column("noise", str, title="Noise"),
)
