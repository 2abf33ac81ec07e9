"""The verdict in words and tables: which row is better, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import UserError, choices
from harness.reporting.columns import Column
from harness.reporting.formats import Format, decimal, interval_text, percent, plain
from harness.reporting.tables import Markup, grid
from harness.results.inference.difference_tests import EXACT_SPEAKERS
from harness.results.inference.larger_designs import LargerDesign
from harness.results.inference.over_corpora import OverCorpora
from harness.results.ranking import EQUIVALENT, Pair, RankedRow, Ranking
from harness.tasks.task import Metric

_VERDICTS = {"better": "yes", "alike": "alike", "unsure": "no", "one seed": "?"}


def ranking_text(ranking: Ranking, style: Markup = "pipe", *, pairs: bool = True) -> str:
    """The headline, the rows in their order and, where asked for, every pair.

    Args:
        ranking: of one corpus
        style: of the tables
        pairs: whether to list them
    """
    parts = [headline_sentence(ranking)]
    if ranking.rows:
        parts.append(grid(ranking.rows, _row_columns(ranking.metric), style))
    if pairs and ranking.pairs:
        parts.append(grid(ranking.pairs, _pair_columns(ranking), style))
    parts.append("\n".join(f"- {note}" for note in ranking_notes(ranking, pairs=pairs)))
    return "\n\n".join(part for part in parts if part)


def headline_sentence(ranking: Ranking) -> str:
    """Which row dev chose, what it scores, and which rows nothing separates from it."""
    chosen, metric = ranking.chosen, ranking.metric
    if chosen is None:
        if not ranking.rows:
            return f"{ranking.corpus}: no two rows can be set side by side."
        return f"{ranking.corpus}: dev scores are not known; nothing was chosen."
    value = _score(chosen, metric)
    others = [row.name for row in ranking.rows if row is not chosen]
    sentence = f"{ranking.corpus}: dev chooses {chosen.name}, with {value} on test."
    tied = [name for name in others if ranking.pair(chosen.name, name).verdict != "better"]
    if len(tied) == len(others):
        return f"{sentence} Nothing separates it from any other row."
    worse = [n for n in others if n not in tied and ranking.pair(chosen.name, n).one == chosen.name]
    better = [n for n in others if n not in tied and n not in worse]
    if worse:
        sentence += f" It is better than {len(worse)} of {len(others)} other rows."
    if better:
        sentence += f" On test {_listed(better)} {'is' if len(better) == 1 else 'are'} better."
    if tied:
        sentence += f" Nothing separates it from {_listed(tied)}."
    return sentence


def pair_sentence(ranking: Ranking, one: str, other: str) -> str:
    """Whether one row is better than another, in one sentence.

    Raises:
        UserError: there is no such row, or the two cannot be set side by side.
    """
    names = [row.name for row in ranking.rows]
    first, second = (_named(name, ranking, names) for name in (one, other))
    if first == second:
        raise UserError(f"{first} cannot be set beside itself: name two rows")
    pair = ranking.pair(first, second)
    test, number = pair.test, _number(ranking.metric)
    points = " points" if ranking.metric.share else ""
    gap = (
        f"{number(abs(test.difference))}{points} of {ranking.metric.title} on {ranking.corpus} "
        f"(95 % {_ends(pair, number)}, p = {pair.p:.2g}, {test.speakers} speakers)"
    )
    words = {
        "better": f"{pair.one} is better than {pair.other} by {gap}.",
        "alike": f"{pair.one} and {pair.other} are alike in practice: they differ by {gap}.",
        "unsure": f"Nobody can tell whether {pair.one} is better than {pair.other}: they differ by "
        f"{gap}; this design finds {number(test.detectable)}{points} in four of five times.",
        "one seed": f"{pair.one} scores better than {pair.other} by {gap}, but with one seed "
        "nobody can tell whether training again would turn that round: run two seeds or more.",
    }
    return words[pair.verdict]


def ranking_notes(ranking: Ranking, *, pairs: bool = True) -> tuple[str, ...]:
    """What a reader must know to trust the order."""
    if not ranking.rows:
        return tuple(f"{name} is not ranked: {reason}." for name, reason in ranking.left_out)
    number, metric = _number(ranking.metric), ranking.metric
    points = " points" if metric.share else ""
    best = ranking.rows[0]
    notes = [
        f"Group: rows that share a letter are not told apart by {ranking.speakers} test speakers "
        f"({metric.title}; jackknife over speakers with Student's t, and the noise of training "
        "from two seeds on; Holm over all pairs, 5 %). Best: the chance to be the best of these; "
        "Rank: where its rank lies, 95 %.",
        f"The best of {len(ranking.rows)} rows on test looks {number(ranking.optimism)}{points} "
        f"better than it is, on average: pick by dev, not by test ({best.name} is best on test).",
    ]
    if pairs:
        notes.append(_pair_note(ranking, number, points))
    if any(row.group == "?" for row in ranking.rows):
        notes.append(
            "?: one seed. Training again changes scores too, by how much is not known: run two "
            "seeds or more."
        )
    if ranking.larger:
        notes.append(_larger(ranking.larger, ranking.pairs[0]))
    return (*notes, *(f"{name} is not ranked: {why}." for name, why in ranking.left_out))


def over_corpora_text(found: OverCorpora, style: Markup = "pipe") -> str:
    """Mean ranks over corpora and Friedman's test."""
    rows = list(found.ranks.items())
    columns = (
        Column("row", str, title="Row", value=lambda row: row[0]),
        Column("rank", float, title="Mean rank", value=lambda row: row[1], format=_two),
    )
    apart = [
        f"{one} before {other} (p = {p:.2g})" for (one, other), p in found.pairs.items() if p < 0.05
    ]
    return "\n\n".join(
        [
            f"Over {len(found.corpora)} corpora: Friedman's test that all rows are alike gives p = "
            f"{found.p:.2g}; mean ranks nearer than {found.critical_difference:.2f} (Nemenyi) are "
            "not told apart.",
            grid(rows, columns, style),
            f"Told apart, after Holm: {'; '.join(apart) or 'none'}.",
        ]
    )


def _pair_note(ranking: Ranking, number: Format, points: str) -> str:
    note = (
        "Real: yes after Holm; no: nobody can tell; alike: both one-sided tests put it within "
        f"{number(EQUIVALENT)}{points}. p is Student's, after Holm; Effect: mean over speakers by "
        "its deviation; Detects: the smallest difference found in four of five times."
    )
    smallest = ranking.pairs[0].test.smallest_sign_flip_p
    if ranking.speakers <= EXACT_SPEAKERS:
        note += f" Sign flips: exact p of this pair alone, at best {smallest:.2g} with so few."
    return note


def _larger(larger: LargerDesign, pair: Pair) -> str:
    ways = []
    if larger.speakers is not None:
        ways.append(f"{larger.speakers} test speakers in place of {pair.test.speakers}")
    if larger.seeds is not None:
        ways.append(f"{larger.seeds} seeds")
    text = " or ".join(ways) or "no number of speakers or seeds that anyone has"
    return (
        f"To tell {pair.one} from {pair.other}, were they as far apart as they look: {text} (80 % "
        "power; what a small sample shows tends to be larger than what is there)."
    )


def _row_columns(metric: Metric) -> Sequence[Column]:
    number = _number(metric)
    return (
        Column("group", str, title="Group"),
        Column("name", str, title="Row"),
        Column("score", float, title=metric.title, format=number, value=lambda r: r.score.mean),
        Column(
            "interval",
            str,
            title="95 %",
            format=interval_text(number),
            value=lambda row: row.score.interval,
        ),
        Column("dev_score", float, title="Dev", format=number),
        Column("best", float, title="Best %", format=percent),
        Column("rank", str, title="Rank", value=_rank),
    )


def _pair_columns(ranking: Ranking) -> Sequence[Column]:
    number = _number(ranking.metric)
    columns = [
        Column("one", str, title="Better"),
        Column("other", str, title="Other"),
        Column("difference", float, title="By", format=number, value=lambda p: p.test.difference),
        Column("ends", str, title="95 %", value=lambda pair: _ends(pair, number)),
        Column("p", float, title="p", format=_two_digits),
        Column("flips", float, title="Sign flips", format=_two_digits, value=_flips),
        Column("effect", float, title="Effect", format=_two, value=lambda p: p.test.effect),
        Column("detectable", float, title="Detects", format=number, value=_detectable),
        Column("real", str, title="Real", value=lambda pair: _VERDICTS[pair.verdict]),
    ]
    flips = ranking.speakers <= EXACT_SPEAKERS
    return [column for column in columns if flips or column.name != "flips"]


def _named(name: str, ranking: Ranking, names: Sequence[str]) -> str:
    if name in names:
        return name
    found = [known for known in names if name in known]
    if len(found) == 1:
        return found[0]
    reasons = dict(ranking.left_out)
    if name in reasons:
        raise UserError(f"{name} is not ranked: {reasons[name]}")
    what = f"several rows are {name!r}" if found else f"no row is {name!r}"
    raise UserError(f"{what} on {ranking.corpus}: {choices(name, found or names)}")


def _score(row: RankedRow, metric: Metric) -> str:
    number, interval = _number(metric), row.score.interval
    ends = f" {interval_text(number)(interval)}" if interval else ""
    return f"{metric.title} {number(row.score.mean)}{ends}"


def _listed(names: Sequence[str]) -> str:
    return (
        ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} more"
    )


def _number(metric: Metric) -> Format:
    return percent if metric.share else decimal


def _ends(pair: Pair, number: Format) -> str:
    interval = pair.test.interval
    return f"[{number(interval.low)}, {number(interval.high)}]"


def _rank(row: RankedRow) -> str:
    return str(row.first) if row.first == row.last else f"{row.first} to {row.last}"


def _flips(pair: Pair) -> float | None:
    return pair.test.sign_flip_p


def _detectable(pair: Pair) -> float:
    return pair.test.detectable


def _two_digits(value: float | None) -> str:
    return plain(None) if value is None else f"{value:.2g}"


def _two(value: float | None) -> str:
    return plain(None) if value is None else f"{value:.2f}"
