"""The verdict in words: which row is better, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

from harness.data.readers.audio_files import shortened
from harness.errors import UserError, choices
from harness.reporting.formats import Format, interval_text, printable
from harness.reporting.ranking_columns import ends_of, number_of
from harness.results.inference.difference_tests import EXACT_SPEAKERS, LEVEL
from harness.results.inference.larger_designs import LargerDesign
from harness.results.inference.over_corpora import OverCorpora
from harness.results.ranking import EQUIVALENT, Pair, RankedRow, Ranking
from harness.tasks.task import Metric


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
    if len(worse) == len(others):
        return f"{sentence} It is better than every other row."
    if worse:
        sentence += f" It is better than {len(worse)} of {len(others)} other rows."
    if better:
        sentence += f" On test {_listed(better)} {'is' if len(better) == 1 else 'are'} better."
    if tied:
        sentence += f" Nothing separates it from {_listed(tied)}."
    return sentence


def pair_sentences(rankings: Sequence[Ranking], one: str, other: str) -> list[str]:
    """Whether one row is better than another: a sentence for each corpus that has both.

    Args:
        rankings: of some corpora
        one: words of a row's name that no other row has all of, such as "wavlm-base/2"
        other: those of another

    Raises:
        UserError: there are no such rows, or they cannot be set side by side.
    """
    found: list[str] = []
    mistakes: list[str] = []
    for ranking in rankings:
        try:
            found.append(_pair_sentence(ranking, _named(one, ranking), _named(other, ranking)))
        except UserError as error:
            mistakes.append(str(error))
    if not found:
        nothing = ["there are no two rows on one corpus to set side by side"]
        raise UserError("\n".join(mistakes or nothing))
    return found


def _pair_sentence(ranking: Ranking, first: str, second: str) -> str:
    if first == second:
        raise UserError(f"{first} cannot be set beside itself: name two rows")
    pair = ranking.pair(first, second)
    test, number = pair.test, number_of(ranking.metric)
    points = " points" if ranking.metric.share else ""
    gap = (
        f"{number(abs(test.difference))}{points} of {ranking.metric.title} on {ranking.corpus} "
        f"(95 % {ends_of(pair, number)}, p = {pair.p:.2g}, {test.speakers} speakers)"
    )
    words = {
        "better": f"{pair.one} is better than {pair.other} by {gap}.",
        "alike": f"{pair.one} and {pair.other} are alike in practice: they differ by {gap}.",
        "unsure": f"Nobody can tell whether {pair.one} is better than {pair.other}: they differ by "
        f"{gap}; this design finds {number(test.detectable)}{points} in four of five times.",
        "one seed": f"{pair.one} scores better than {pair.other} by {gap}, but with one seed "
        "nobody can tell whether training again would turn that round: run two seeds or more.",
    }
    return printable(words[pair.verdict])


def ranking_notes(ranking: Ranking, *, pairs: bool = True) -> tuple[str, ...]:
    """What a reader must know to trust the order."""
    if not ranking.rows:
        return _not_ranked(ranking)
    number, metric = number_of(ranking.metric), ranking.metric
    points = " points" if metric.share else ""
    best, flattered = ranking.rows[0], number(abs(ranking.optimism))
    notes = [
        f"Group: rows that share a letter are not told apart by {ranking.speakers} test speakers "
        f"({metric.title}; jackknife over speakers with Student's t, and the noise of training "
        "from two seeds on; Holm over all pairs, 5 %). Best: the chance to be the best of these; "
        "Rank: where its rank lies, 95 %.",
        f"The best of {len(ranking.rows)} rows on test looks {flattered}{points} better than it "
        f"is, on average: pick by dev, not by test ({best.name} is best on test).",
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
    return (*notes, *_not_ranked(ranking))


def _not_ranked(ranking: Ranking) -> tuple[str, ...]:
    by_reason: dict[str, list[str]] = {}
    for name, reason in ranking.left_out:
        by_reason.setdefault(reason, []).append(name)
    return tuple(f"Not ranked, as {why}: {shortened(names)}." for why, names in by_reason.items())


def over_corpora_sentence(found: OverCorpora) -> str:
    """What Friedman's test says, and which rows are told apart."""
    apart = [
        f"{one} before {other} (p = {p:.2g})"
        for (one, other), p in found.pairs.items()
        if p < LEVEL
    ]
    return (
        f"Over {len(found.corpora)} corpora: Friedman's test that all rows are alike gives p = "
        f"{found.p:.2g}. Told apart, after Holm: {'; '.join(apart) or 'none'}. Mean ranks nearer "
        f"than {found.critical_difference:.2f} are joined in the diagram (Nemenyi)."
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


def _named(wanted: str, ranking: Ranking) -> str:
    """The one row that has all of these words in its name."""
    names = [row.name for row in ranking.rows]
    everyone = [*names, *(name for name, _ in ranking.left_out)]
    found = [
        name for name in everyone if wanted == name or set(_words(wanted)) <= set(_words(name))
    ]
    if len(found) != 1:
        what = f"several rows are {wanted!r}" if found else f"no row is {wanted!r}"
        raise UserError(f"{what} on {ranking.corpus}: {choices(wanted, found or everyone)}")
    if found[0] not in names:
        raise UserError(f"{found[0]} is not ranked: {dict(ranking.left_out)[found[0]]}")
    return found[0]


def _words(name: str) -> list[str]:
    return name.replace("·", " ").replace("/", " ").split()


def _score(row: RankedRow, metric: Metric) -> str:
    number, interval = number_of(metric), row.score.interval
    ends = f" {interval_text(number)(interval)}" if interval else ""
    return f"{metric.title} {number(row.score.mean)}{ends}"


def _listed(names: Sequence[str]) -> str:
    return (
        ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} more"
    )
